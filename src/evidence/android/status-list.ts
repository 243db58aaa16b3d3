import { hash } from 'node:crypto';
import { SallyportError } from '#errors';
import { parseBase64Certificate } from '#x509';
import type { RevocationStatus } from '../appraisal.ts';
import type { Examination } from '../examination.ts';

const maximumBytes = 16 * 1024 * 1024;
const maximumEntries = 200_000;

/** Google's list of attestation keys that it has taken back: https://android.googleapis.com/attestation/status. */
export interface StatusList {
  /** SHA-256 of its octets, hexadecimal. */
  readonly sha256: string;
  /** Status by serial number in lower-case hexadecimal without leading zeros. */
  readonly entries: ReadonlyMap<string, string>;
}

/** Throws `malformed` where anything is not as Google describes it, for what was not read may be revoked, and `too-large`. */
export function parseStatusList(bytes: Uint8Array): StatusList {
  if (bytes.length > maximumBytes) {
    throw new SallyportError('too-large', `status list of ${bytes.length} bytes`);
  }
  const entries = Object.entries(recordOf(recordOf(parseJson(bytes), 'status list')['entries'], 'entries'));
  if (entries.length > maximumEntries) {
    throw new SallyportError('too-large', `status list of ${entries.length} entries`);
  }
  return {
    sha256: hash('sha256', bytes),
    entries: new Map(entries.map(([serial, entry]) => [spelled(serial), statusOf(entry)])),
  };
}

/**
 * What a list that was taken at `at` says of the certificates of evidence. Google compares serial numbers alone, whoever issued them, and looks at all
 * that were sent.
 */
export function revocationStatusOf(
  { sha256, entries }: StatusList,
  { certificates }: Pick<Examination, 'certificates'>,
  at: number,
): RevocationStatus {
  const revoked = certificates.flatMap((each) => {
    const certificate = parseBase64Certificate(each);
    const serialNumber = withoutZeros(certificate.serialNumber);
    const status = entries.get(serialNumber);
    return status === undefined ? [] : [{ serialNumber, status }];
  });
  return { list: sha256, at, revoked };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SallyportError('malformed', 'status list: is no JSON', { cause });
  }
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SallyportError('malformed', `${what}: expected an object`);
  }
  return value as Record<string, unknown>;
}

function statusOf(entry: unknown): string {
  const { status } = recordOf(entry, 'entry');
  if (typeof status !== 'string' || !/^[A-Z_]{1,40}$/.test(status)) {
    throw new SallyportError('malformed', 'entry: expected a status');
  }
  return status;
}

function spelled(serial: string): string {
  if (!/^[0-9a-f]{1,64}$/i.test(serial)) {
    throw new SallyportError('malformed', 'entries: a serial number is not hexadecimal');
  }
  return withoutZeros(serial.toLowerCase());
}

function withoutZeros(serialNumber: string): string {
  return serialNumber.replace(/^0+(?=.)/, '');
}
