import {
  type Blob,
  decodeEntry,
  documentOf,
  encodeEntry,
  type JsonValue,
  type LogReader,
  type NewEntry,
  openEntry,
  saltLength,
  sealedAddress,
  sealEntry,
  SealedFields,
} from '#audit';
import { isSallyportError, SallyportError } from '#errors';
import type { Entry } from './entry.ts';

/**
 * What tells who or which device it was, of an entry of version 2. It stands in a document beside the log, which can be erased (docs/adr/erasure.md); the
 * leaf keeps what a verdict follows from, who did what, and digests of keys and certificates. A list never changes: another one is another version.
 */
const ofRequests = new SealedFields([
  '/certificate/deviceId',
  // Words, with names in them.
  '/error/message',
  '/facts/reasons',
  '/verdict/objections/*/detail',
  '/observations/device/id',
  '/observations/device/identifiers',
  '/observations/device/serialNumber',
  '/observations/presenter/hardwareModule',
  '/observations/presenter/record/deviceId',
  '/observations/presenter/subject',
  '/observations/presenter/subjectAltName',
  '/observations/request/changeSubjectName',
  '/observations/request/extensions',
  '/observations/request/subject',
  '/observations/request/subjectAltName',
  '/observations/secret/expected',
  '/observations/secret/userNameDevice',
  '/observations/source/address',
  // A digest of the client's own text.
  '/observations/source/message/transaction',
  // Digests of names: a list of all hostnames finds the name.
  '/observations/approval/names',
  '/observations/denials/*/names',
  '/observations/issued/names',
  '/observations/secret/reservedFor/names',
  // Of ACME, which came later: no entry before had them.
  '/observations/order/identifiers',
  '/observations/order/authorizations/*/value',
  '/observations/order/key/names',
  '/detail/device',
  '/detail/identifiers',
  '/detail/identifier',
  '/detail/addresses',
  '/detail/contact',
  '/detail/problem',
  // Of evidence, which came later: its certificates name the device.
  '/observations/evidence/attester/deviceId',
  // Of an endorsement key it is what the inventory has.
  '/observations/evidence/attestingKey/spki',
  '/observations/approval/evidence/said/attestingKey',
  '/observations/evidence/examination/certificates',
  '/observations/evidence/examination/fault/detail',
  '/observations/evidence/examination/statement/identities',
]);

/** Of acts, of machines' calls and of events. What only a machine's entry has came with the machines: no entry before had it. */
const ofDetails = new SealedFields([
  '/source/address',
  '/error/message',
  '/detail/device',
  '/detail/deviceId',
  '/detail/devices',
  '/detail/expected',
  // Of the list of devices: who guesses the list finds it.
  '/detail/listSha256',
  '/detail/names',
  '/detail/remark',
  '/detail/identifier',
  '/detail/addresses',
  '/detail/problem',
  '/detail/attestationKey',
  '/detail/evidence/said/attestingKey',
]);

type Json = { readonly [name: string]: JsonValue };

/** An entry on its way into the log. `kept`: the certification request that it names, where one was read. */
export function newEntry(entry: Entry, random: (n: number) => Uint8Array, kept?: Blob): NewEntry {
  const { bytes, document } = sealEntry(entry, fieldsOf(entry), random(saltLength));
  return {
    bytes,
    blobs: [...(document === null ? [] : [document]), ...(kept === undefined ? [] : [kept])],
  };
}

export interface ReadEntry {
  /** As it was recorded; where its document is absent, without its personal fields and with the document's address as `sealed`. */
  readonly entry: Json;
  /** `none`: it never had a document, as entries of version 1 have not. */
  readonly document: 'there' | 'absent' | 'none';
}

/** `blobs`: what is kept beside this entry. Throws 'log' for a document that is not the entry's, 'malformed' for what is no entry. */
export function readEntry(bytes: Uint8Array, blobs: readonly Blob[]): ReadEntry {
  const entry = decodeEntry(bytes);
  if (sealedAddress(entry) === null) return { entry, document: 'none' };
  const document = documentOf(entry, blobs);
  if (document === null) return { entry, document: 'absent' };
  return { entry: openEntry(bytes, document, fieldsOf(entry)), document: 'there' };
}

/** Entries [from, to) of a log, at most 256, each with its leaf. Throws as `readEntry`, and names the entry. */
export async function readEntries(
  log: Pick<LogReader, 'entries' | 'blobs'>,
  from: number,
  to: number,
): Promise<readonly (ReadEntry & { readonly index: number; readonly bytes: Uint8Array })[]> {
  const [entries, blobs] = await Promise.all([log.entries(from, to), log.blobs(from, to)]);
  const byEntry = Map.groupBy(blobs, ({ index }) => index);
  return entries.map(({ index, bytes }) => {
    try {
      return { index, bytes, ...readEntry(bytes, byEntry.get(index) ?? []) };
    } catch (cause) {
      if (!isSallyportError(cause)) throw cause;
      throw new SallyportError(cause.code, `entry ${index}: ${cause.message}`, { cause });
    }
  });
}

/** The leaf of an entry that was opened, with the salt of its document; `null`: it had none. For who has entries from elsewhere. */
export function leafOf(entry: object, salt: Uint8Array | null): Uint8Array {
  return salt === null ? encodeEntry(entry) : sealEntry(entry, fieldsOf(entry), salt).bytes;
}

function fieldsOf({ type }: { readonly type?: unknown }): SealedFields {
  return type === 'request' ? ofRequests : ofDetails;
}
