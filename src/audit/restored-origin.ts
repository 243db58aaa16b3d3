const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const suffix = /\/restored-\d{8}-[a-z2-7]{8}$/;
const longest = 255;

/**
 * The name of the log that begins at a restore. Nobody chooses it: whoever restores one backup twice has two logs of the same beginning, and
 * under one name the second would be a fork of the first.
 */
export function restoredOrigin(old: string, now: number, random: (n: number) => Uint8Array): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '');
  const chosen = [...random(8)].map((byte) => letters[byte % letters.length]).join('');
  const end = `/restored-${day}-${chosen}`;
  return (
    firstOrigin(old)
      .slice(0, longest - end.length)
      .replace(/\/$/, '') + end
  );
}

/** The name that the authority's first log has: the same for all that followed it. */
export function firstOrigin(origin: string): string {
  return origin.replace(suffix, '');
}
