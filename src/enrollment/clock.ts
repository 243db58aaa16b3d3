/** The authority's one clock: whole milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

export interface SteadyClock extends Clock {
  /**
   * Another node takes it to be so late at least. Where the wall clock says so too, it is believed at once: by a jump forward that one node knows and
   * another does not, the leases of the one would end too late for the other.
   */
  hear(time: number): void;
}

export interface ClockSources {
  /** The wall clock, which people and NTP set. */
  readonly wall: () => number;
  /** Counts milliseconds and is never set. It may stand still while the machine sleeps. */
  readonly monotonic: () => number;
  /** The newest time that the log knows. */
  readonly floor: number;
  /** The wall clock has jumped by so many milliseconds, forward above zero; told once for each jump. At the start, by so many it is behind the log. */
  readonly jumped: (milliseconds: number) => void;
}

/** So far the two may drift apart between two looks: a leap second, NTP that slews. */
const toleranceMilliseconds = 10_000;
/** A jump forward that lasts so long is believed: the machine has slept, or was wrong before. */
const believedMilliseconds = 10 * 60_000;

/**
 * A clock that never runs backwards and does not follow a jump. A wall clock set back revives no secret and no certificate: time goes on by the
 * count. One that jumps forward ends no secret, no lease and no limit by itself: it is followed when it has stayed there for ten minutes, or as far as
 * another node has followed it, which has been started since.
 */
export function steadyClock({ wall, monotonic, floor, jumped }: ClockSources): SteadyClock {
  let latest = floor;
  if (floor - wall() > toleranceMilliseconds) jumped(wall() - floor);
  /** Wall time minus the count, as it was last believed. */
  let offset = wall() - monotonic();
  /** Since when, by the count, the wall clock is away from it. */
  let awaySince: number | null = null;
  const clock: SteadyClock = {
    now() {
      const count = monotonic();
      const away = wall() - count - offset;
      if (Math.abs(away) <= toleranceMilliseconds) {
        offset += away;
        awaySince = null;
      } else {
        if (awaySince === null) jumped(away);
        awaySince ??= count;
        if (away > 0 && count - awaySince >= believedMilliseconds) {
          offset += away;
          awaySince = null;
        }
      }
      latest = Math.max(latest, Math.round(count + offset));
      return latest;
    },
    hear(time) {
      const ahead = time - clock.now();
      if (awaySince === null || ahead <= toleranceMilliseconds) return;
      const away = wall() - monotonic() - offset;
      offset += Math.max(0, Math.min(away, ahead));
    },
  };
  return clock;
}
