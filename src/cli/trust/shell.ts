/** A word of a command line for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

const lineWidth = 94;

/** One command over as few lines as it needs, broken between its parts only. */
export function continued(first: string, ...rest: readonly string[]): string {
  const lines = [first];
  for (const part of rest) {
    const last = lines.at(-1)!;
    if (last.length + 1 + part.length <= lineWidth) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(`  ${part}`);
  }
  return lines.join(' \\\n');
}
