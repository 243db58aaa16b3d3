import { SallyportError } from '#errors';

/** `count` requests in `periodSeconds`, evenly; up to `burst` at once. */
export interface RateLimit {
  /** Whole, 1 or more. */
  readonly burst: number;
  /** Whole, 1 or more. */
  readonly count: number;
  readonly periodSeconds: number;
}

export interface Spending {
  readonly conforms: boolean;
  /**
   * The theoretical arrival time to keep, in ms since 1970 with a fraction that a double holds exactly. A denial
   * leaves it as it was, unless the clock was set back: then what is returned must be kept too, or the wait
   * never ends.
   */
  readonly tat: number;
  /** 0 when it conforms. Whole, for Retry-After (RFC 9110 section 10.2.3). */
  readonly retryAfterSeconds: number;
}

/**
 * Times are multiples of 1/1024 ms: until the year 2248 a double holds them and their sums exactly, so that
 * the burst is the burst and not one less by rounding.
 */
const gridPerMillisecond = 1024;

/**
 * The generic cell rate algorithm (ITU-T I.371, virtual scheduling). `tat` is what was kept under this key,
 * null at first; `now` is in ms. What does not conform spends nothing: asking again and again does not
 * prolong the wait.
 */
export function spend(limit: RateLimit, tat: number | null, now: number, cost: number = 1): Spending {
  assertRateLimit(limit);
  if (!Number.isInteger(cost) || cost < 1 || cost > limit.burst) {
    throw new SallyportError('internal', `a cost of ${cost} can never conform to a burst of ${limit.burst}`);
  }
  if (!Number.isFinite(now) || (tat !== null && !Number.isFinite(tat))) {
    throw new SallyportError('internal', 'a rate limit needs finite times');
  }
  const arrival = Math.floor(now);
  const interval = emissionInterval(limit);
  const tolerance = interval * limit.burst;
  // Further ahead than a spent burst: the clock was set back. Then the burst counts as spent, and no more.
  const start = Math.min(Math.max(tat ?? arrival, arrival), arrival + tolerance);
  const next = start + interval * cost;
  const wait = next - tolerance - arrival;
  if (wait > 0) return { conforms: false, tat: start, retryAfterSeconds: Math.ceil(wait / 1000) };
  return { conforms: true, tat: next, retryAfterSeconds: 0 };
}

/** Milliseconds a request costs, rounded up to the grid: never more generous than configured. */
function emissionInterval({ count, periodSeconds }: RateLimit): number {
  return Math.ceil((periodSeconds * 1000 * gridPerMillisecond) / count) / gridPerMillisecond;
}

/** A zero or NaN would make every comparison false, and a limit that never objects. */
function assertRateLimit({ burst, count, periodSeconds }: RateLimit): void {
  const whole = Number.isSafeInteger(burst) && Number.isSafeInteger(count) && burst >= 1 && count >= 1;
  if (!whole || !Number.isFinite(periodSeconds) || periodSeconds <= 0) {
    throw new SallyportError(
      'config',
      'a rate limit has whole burst and count of 1 or more, and a positive period',
    );
  }
}
