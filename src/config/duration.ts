import { SallyportError } from '#errors';

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
type Unit = keyof typeof unitSeconds;

/** Seconds of `90d`, `1h`, `30m` or `15s`: a whole number and one unit, so that a reader never has to add. */
export function parseDuration(text: string): number {
  const match = /^(0|[1-9][0-9]{0,8})([smhd])$/.exec(text);
  if (match === null) throw new SallyportError('config', durationForm);
  return Number(match[1]) * unitSeconds[match[2] as Unit];
}

/** In the largest unit that leaves no fraction; `parseDuration` reads it back. */
export function formatDuration(seconds: number): string {
  const units: readonly Unit[] = ['d', 'h', 'm'];
  const unit = units.find(
    (candidate) => seconds >= unitSeconds[candidate] && seconds % unitSeconds[candidate] === 0,
  );
  return `${seconds / unitSeconds[unit ?? 's']}${unit ?? 's'}`;
}

export const durationForm = 'a duration is a whole number and one unit: 15s, 30m, 1h or 90d';
