import { hash } from 'node:crypto';
import { isSallyportError, SallyportError } from '#errors';
import { type Certificate, parseCertificate } from '#x509';
import { readAndroidStatement } from './android/statement.ts';
import { readAppleStatement } from './apple/statement.ts';
import { type AttestationStatement, parseAttestationObject } from './attestation-object.ts';
import { parseAttestationBundle, statementTypes } from './attestation-bundle.ts';
import { EvidenceRefused } from './evidence-refused.ts';
import type { Evidence, EvidenceFormat, Nonce } from './evidence.ts';
import type { Examination, Statement } from './examination.ts';
import { readStepStatement } from './step/statement.ts';
import { readTpmStatement } from './tpm/statement.ts';
import { readTcgAttestCertify } from './tpm/tcg-attest-certify.ts';

/** Reads one format. Throws EvidenceRefused at the first check that fails, and SallyportError where something does not parse. */
export type StatementReader = (
  statement: AttestationStatement,
  certificates: readonly Certificate[],
  nonce: Nonce | null,
) => Statement;

/** By fmt. What a TPM's evidence says is of its maker's own key becomes `idevid`: no evidence calls itself so. */
const readers: Partial<Record<EvidenceFormat, StatementReader>> = {
  tpm: readTpmStatement,
  'android-key': readAndroidStatement,
  apple: readAppleStatement,
  step: readStepStatement,
};

/** Looks at evidence. Whatever is wrong with it stands in the result; nothing is thrown but by faults of ours. */
export function examine(evidence: Evidence, nonce: Nonce | null): Examination {
  const seen: Seen = {
    sha256: hash('sha256', evidence.bytes),
    format: null,
    certificates: [],
  };
  try {
    const read = evidence.envelope === 'attestation-bundle' ? examineBundle : examineObject;
    const statement = read(evidence.bytes, nonce, seen);
    return { ...seen, format: statement.claims.format, fault: null, statement };
  } catch (error) {
    if (error instanceof EvidenceRefused) return { ...seen, fault: error.fault, statement: null };
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    return { ...seen, fault: { check: error.code, detail: error.message }, statement: null };
  }
}

/** What is known of the evidence so far, whatever fails after it. */
interface Seen {
  readonly sha256: string;
  format: EvidenceFormat | null;
  certificates: readonly string[];
}

function examineObject(bytes: Uint8Array, nonce: Nonce | null, seen: Seen): Statement {
  const { format, statement } = parseAttestationObject(bytes);
  const reader = Object.hasOwn(readers, format) ? readers[format as EvidenceFormat] : undefined;
  if (reader === undefined) throw new EvidenceRefused('format', 'a format that we do not read');
  seen.format = format as EvidenceFormat;
  const certificates = withinBounds(statement.certificates());
  seen.certificates = certificates.map(inBase64);
  return reader(
    statement,
    certificates.map((each) => parseCertificate(each)),
    nonce,
  );
}

/** Of its statements the one whose type we read: with two of them nobody could say which was examined. */
function examineBundle(bytes: Uint8Array, nonce: Nonce | null, seen: Seen): Statement {
  const bundle = parseAttestationBundle(bytes);
  const known = bundle.statements.filter(({ type }) => Object.values<string>(statementTypes).includes(type));
  const [statement] = known;
  if (statement === undefined) throw new EvidenceRefused('format', 'no statement of a type that we read');
  if (known.length > 1) throw new EvidenceRefused('bundle-statements', 'several statements');
  if (statement.type === statementTypes.attestationObject) {
    return examineObject(statement.value.octetString('attestation object'), nonce, seen);
  }
  seen.format = 'tpm';
  seen.certificates = withinBounds(bundle.certificates).map(inBase64);
  const sent = bundle.certificates.map((each) => parseCertificate(each));
  const read = readTcgAttestCertify(statement.value, statement.hasHint, sent, nonce);
  seen.certificates = read.certificates.map(({ der }) => inBase64(der));
  return read.statement;
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
