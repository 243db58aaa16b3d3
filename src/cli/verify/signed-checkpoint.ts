import type { ParsedCheckpoint } from '#audit';
import { isSallyportError, SallyportError } from '#errors';

/** The checkpoint in a note. Throws 'log' where the key did not sign it, for whatever reason: then the log does not verify. */
export async function signedCheckpoint(note: string | Uint8Array, key: string): Promise<ParsedCheckpoint> {
  const { openCheckpoint, parseVerifierKey } = await import('#audit');
  const verifier = parseVerifierKey(key);
  try {
    return openCheckpoint(note, verifier);
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError('log', `the checkpoint is refused: ${cause.message}`, { cause });
  }
}
