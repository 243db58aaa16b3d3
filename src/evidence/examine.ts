import { createHash } from 'node:crypto';
import { isSallyportError } from '#errors';
import { type Certificate, parseCertificate } from '#x509';
import { readAndroidStatement } from './android/statement.ts';
import { readAppleStatement } from './apple/statement.ts';
import { type AttestationStatement, parseAttestationObject } from './attestation-object.ts';
import { EvidenceRefused } from './evidence-refused.ts';
import type { Evidence, EvidenceFormat, Nonce } from './evidence.ts';
import type { Examination, Statement } from './examination.ts';
import { readStepStatement } from './step/statement.ts';

/** Reads one format. Throws EvidenceRefused at the first check that fails, and SallyportError where something does not parse. */
export type StatementReader = (
  statement: AttestationStatement,
  certificates: readonly Certificate[],
  nonce: Nonce | null,
) => Statement;

const readers: Partial<Record<EvidenceFormat, StatementReader>> = {
  'android-key': readAndroidStatement,
  apple: readAppleStatement,
  step: readStepStatement,
};

/** Looks at evidence. Whatever is wrong with it stands in the result; nothing is thrown but by faults of ours. */
export function examine(evidence: Evidence, nonce: Nonce | null): Examination {
  const seen = {
    sha256: createHash('sha256').update(evidence.bytes).digest('hex'),
    format: null as EvidenceFormat | null,
    certificates: [] as string[],
  };
  try {
    const { format, statement } = parseAttestationObject(evidence.bytes);
    const reader = Object.hasOwn(readers, format) ? readers[format as EvidenceFormat] : undefined;
    if (reader === undefined) throw new EvidenceRefused('format', 'a format that we do not read');
    seen.format = format as EvidenceFormat;
    const certificates = statement.certificates();
    seen.certificates.push(...certificates.map((each) => Buffer.from(each).toString('base64')));
    const parsed = certificates.map((each) => parseCertificate(each));
    return { ...seen, fault: null, statement: reader(statement, parsed, nonce) };
  } catch (error) {
    if (error instanceof EvidenceRefused) return { ...seen, fault: error.fault, statement: null };
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    return { ...seen, fault: { check: error.code, detail: error.message }, statement: null };
  }
}
