import { SallyportError } from '#errors';
import type { Session } from '../session.ts';

/** One line; by - from standard input. */
export async function secretOf({ terminal }: Session, file: string): Promise<string> {
  if (file !== '-') {
    const { readSecret } = await import('#config');
    return readSecret({ file }, terminal.folder, terminal.environment);
  }
  const secret = Buffer.from(await terminal.readInput())
    .toString()
    .trim();
  if (secret === '') throw new SallyportError('usage', '--secret -: standard input holds no secret');
  return secret;
}
