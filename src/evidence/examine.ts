import { hash } from 'node:crypto';
import { isSallyportError, SallyportError } from '#errors';
import { type Certificate, parseCertificate } from '#x509';
import { readAndroidStatement } from './android/statement.ts';
import { readAppleStatement } from './apple/statement.ts';
import { type AttestationStatement, parseAttestationObject } from './attestation-object.ts';
import { parseAttestationBundle, statementTypes } from './attestation-bundle.ts';
import { EvidenceRefused } from './evidence-refused.ts';
import type { Evidence, EvidenceFormat, Nonce } from './evidence.ts';
import type { ExternalEvidence } from './external/external-examination.ts';
import type { EvidenceFault, Examination, ReadStatement } from './examination.ts';
import { readStepStatement } from './step/statement.ts';
import { readTpmStatement } from './tpm/statement.ts';
import { openTcgAttestCertify } from './tpm/tcg-attest-certify.ts';

/** Reads one format. Throws EvidenceRefused at the first check that fails, and SallyportError where something does not parse. */
export type StatementReader = (
  statement: AttestationStatement,
  certificates: readonly Certificate[],
) => ReadStatement;

/** By fmt. What a TPM's evidence says is of its maker's own key becomes `idevid`: no evidence calls itself so. */
const readers: Partial<Record<EvidenceFormat, StatementReader>> = {
  tpm: readTpmStatement,
  'android-key': readAndroidStatement,
  apple: readAppleStatement,
  step: readStepStatement,
};

/** Web Authentication Level 3, section 6.5.4: no more than 32 octets of printable ASCII, without quotation mark and backslash. */
export const externalType = /^[!#-[\]-~]{1,32}$/;

/** Evidence that was read as far as that takes no nonce. */
export interface OpenedEvidence {
  readonly sha256: string;
  /** As `Examination` has them, whatever nonce it is to hold. */
  readonly certificates: readonly string[];
  /** Of a format that is not read here: for who reads it elsewhere. null: it is examined here, or nothing comes of it. */
  readonly external: ExternalEvidence | null;
  /** Whatever is wrong with it stands in the result; nothing is thrown but by faults of ours. */
  examined(nonce: Nonce | null): Examination;
}

export function openEvidence(evidence: Evidence): OpenedEvidence {
  const sha256 = hash('sha256', evidence.bytes);
  const seen: Seen = { format: null, certificates: [], external: null };
  const read = evidence.envelope === 'attestation-bundle' ? readBundle : readObject;
  const opened = faultOr(() => read(evidence.bytes, seen));
  const { format, certificates, external } = seen;
  return {
    sha256,
    certificates,
    external,
    examined(nonce) {
      const refused = { sha256, format, certificates, statement: null };
      if ('fault' in opened) return { ...refused, fault: opened.fault };
      const { content, isFresh } = opened.value;
      const fresh = nonce === null ? { value: null } : faultOr(() => isFresh(nonce));
      if ('fault' in fresh) return { ...refused, fault: fresh.fault };
      const statement = { ...content, fresh: fresh.value };
      return { sha256, format: content.claims.format, fault: null, certificates, statement };
    },
  };
}

export function examine(evidence: Evidence, nonce: Nonce | null): Examination {
  return openEvidence(evidence).examined(nonce);
}

/** What is known of the evidence so far, whatever fails after it. */
interface Seen {
  format: EvidenceFormat | null;
  certificates: readonly string[];
  external: ExternalEvidence | null;
}

function faultOr<Value>(read: () => Value): { readonly value: Value } | { readonly fault: EvidenceFault } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof EvidenceRefused) return { fault: error.fault };
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    return { fault: { check: error.code, detail: error.message } };
  }
}

function readObject(bytes: Uint8Array, seen: Seen): ReadStatement {
  const { format, statement } = parseAttestationObject(bytes);
  const reader = Object.hasOwn(readers, format) ? readers[format as EvidenceFormat] : undefined;
  if (reader === undefined) {
    if (!externalType.test(format)) throw new EvidenceRefused('format', 'a format that we do not read');
    seen.format = 'external';
    seen.external = { type: format, bytes };
    throw new EvidenceRefused('format', `no verifier was asked about evidence of format ${format}`);
  }
  seen.format = format as EvidenceFormat;
  const encoded = withinBounds(statement.certificates());
  seen.certificates = encoded.map(inBase64);
  return reader(
    statement,
    encoded.map((each) => parseCertificate(each)),
  );
}

/** Of its statements the one whose type we read: with two of them nobody could say which was examined. */
function readBundle(bytes: Uint8Array, seen: Seen): ReadStatement {
  const bundle = parseAttestationBundle(bytes);
  const known = bundle.statements.filter(({ type }) => Object.values<string>(statementTypes).includes(type));
  const [statement] = known;
  if (statement === undefined) throw new EvidenceRefused('format', 'no statement of a type that we read');
  if (known.length > 1) throw new EvidenceRefused('bundle-statements', 'several statements');
  if (statement.type === statementTypes.attestationObject) {
    return readObject(statement.value.octetString('attestation object'), seen);
  }
  seen.format = 'tpm';
  seen.certificates = withinBounds(bundle.certificates).map(inBase64);
  const sent = bundle.certificates.map((each) => parseCertificate(each));
  const opened = openTcgAttestCertify(statement.value, statement.hasHint, sent);
  seen.certificates = opened.certificates.map(({ der }) => inBase64(der));
  return opened.read();
}

/** All of them are recorded: chains of real devices have 3 to 7 KiB. */
const mostOctetsOfCertificates = 12 * 1024;

function withinBounds(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  const octets = certificates.reduce((sum, { length }) => sum + length, 0);
  if (octets <= mostOctetsOfCertificates) return certificates;
  throw new SallyportError('too-large', `certificates of ${octets} octets in all`);
}

function inBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
