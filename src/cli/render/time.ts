const units = [
  { name: 'd', milliseconds: 86_400_000 },
  { name: 'h', milliseconds: 3_600_000 },
  { name: 'min', milliseconds: 60_000 },
  { name: 's', milliseconds: 1000 },
] as const;

/** `in 3 h`, `5 min ago`, `now`. Two of a unit or more, so that 96 minutes are not 2 hours; just about one is one. */
export function relativeTime(time: number, now: number): string {
  const distance = Math.abs(time - now);
  const unit = units.find(({ milliseconds }) => {
    const amount = distance / milliseconds;
    return amount >= 1.98 || Math.abs(amount - 1) <= 0.02;
  });
  if (unit === undefined && distance < 500) return 'now';
  const { name, milliseconds } = unit ?? { name: 's', milliseconds: 1000 };
  const amount = `${Math.max(1, Math.round(distance / milliseconds))} ${name}`;
  return time > now ? `in ${amount}` : `${amount} ago`;
}

/** `2026-11-22T20:47:05Z (in 3 h)`: what to copy, and what to read. */
export function describeTime(iso: string, now: number): string {
  return `${wholeSeconds(iso)} (${relativeTime(Date.parse(iso), now)})`;
}

export function wholeSeconds(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}
