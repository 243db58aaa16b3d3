import { hash } from 'node:crypto';
import { canonicalJson, encodeEntry } from '#audit';
import type { Examination } from '#evidence';
import { type GeneralName, generalNameKey, type Name } from '#x509';

/** SHA-256 in lower-case hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/**
 * Digest of the names of a certificate: with it a secret and an approval are bound to them. In whatever order a request lists its alternative
 * names, they are the same.
 */
export function namesDigest(names: { subject: Name; subjectAltName: readonly GeneralName[] }): string {
  const keyed = names.subjectAltName.map((name) => [generalNameKey(name), name] as const);
  const subjectAltName = keyed.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => name);
  return sha256Hex(encodeEntry({ subject: names.subject, subjectAltName }));
}

/** Of what was seen of evidence, as entries have it. */
export function examinationDigest(examination: Examination): string {
  return sha256Hex(Buffer.from(canonicalJson(examination)));
}
