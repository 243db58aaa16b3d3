import * as z from 'zod';
import { formatTlogProof, inclusionProof, leafHash, openCheckpoint, verifyTlogProof } from '#audit';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { identifier } from '../input.ts';
import { knownEntry } from './show-entry.ts';

/** A receipt (C2SP tlog-proof) against the newest signed checkpoint: whoever has it needs nobody's word that the entry is in the log. */
export const proveEntry = act(z.strictObject({ id: identifier }), async (ports, _operator, { id }) => {
  const { log, logVerifier, logVerifierKey } = ports;
  const { index, bytes } = await knownEntry(ports, id);
  const note = await log.note();
  const size = note === null ? 0 : openCheckpoint(note, logVerifier).size;
  if (note === null || index >= size) {
    throw new SallyportError(
      'conflict',
      `entry ${index} is newer than the signed checkpoint (${size} entries); wait a second and ask again`,
    );
  }
  const hashes = await inclusionProof(index, size, log.hashes);
  const receipt = formatTlogProof({ index, hashes, checkpoint: note });
  verifyTlogProof(receipt, { leafHash: leafHash(bytes), log: logVerifier });
  return { index, size, receipt, entry: Buffer.from(bytes).toString(), verifierKey: logVerifierKey };
});
