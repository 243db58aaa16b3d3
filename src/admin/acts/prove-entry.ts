import * as z from 'zod';
import {
  decodeEntry,
  documentOf,
  type EarlierLog,
  formatTlogProof,
  inclusionProof,
  leafHash,
  type LogReader,
  openCheckpoint,
  parseVerifierKey,
  verifyBlob,
  verifyTlogProof,
} from '#audit';
import { parseFirstEntry } from '#enrollment';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { identifier } from '../input.ts';
import type { AdminPorts } from '../ports.ts';
import { knownEntry } from './show-entry.ts';

/** A receipt (C2SP tlog-proof) against the newest signed checkpoint: whoever has it needs nobody's word that the entry is in the log. */
export const proveEntry = act(z.strictObject({ id: identifier }), async (ports, _operator, { id }) => {
  const { index, bytes, earlier } = await knownEntry(ports, id);
  const { reader, note, verifierKey } = await provingLog(ports, earlier);
  const verifier = parseVerifierKey(verifierKey);
  const size = note === null ? 0 : openCheckpoint(note, verifier).size;
  if (note === null || index >= size) {
    throw new SallyportError(
      'conflict',
      `entry ${index} is newer than the signed checkpoint (${size} entries); wait a second and ask again`,
    );
  }
  const hashes = await inclusionProof(index, size, reader.hashes);
  const receipt = formatTlogProof({ index, hashes, checkpoint: note });
  verifyTlogProof(receipt, { leafHash: leafHash(bytes), log: verifier });
  const document = await sealedDocument(reader, index, bytes);
  return { index, size, receipt, entry: Buffer.from(bytes).toString(), document, verifierKey };
});

/** What the entry's `sealed` is the address of, SHA-256(salt || text); null: it seals nothing, or that is not there any more. */
async function sealedDocument(log: LogReader, index: number, bytes: Uint8Array) {
  const document = documentOf(decodeEntry(bytes), await log.blobs(index, index + 1));
  if (document === null) return null;
  verifyBlob(document);
  return { salt: Buffer.from(document.salt).toString('hex'), text: Buffer.from(document.bytes).toString() };
}

/** A log that ended is proven by the checkpoint over all of it, under the key that its own first entry names. */
async function provingLog({ log, logVerifierKey }: AdminPorts, earlier: EarlierLog | null) {
  if (earlier === null) return { reader: log, note: await log.note(), verifierKey: logVerifierKey };
  const [first] = await earlier.entries(0, 1);
  return { reader: earlier, note: earlier.note, verifierKey: parseFirstEntry(first?.bytes).log };
}
