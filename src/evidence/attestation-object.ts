import { decode } from 'cborg';
import { SallyportError } from '#errors';

const maximumBytes = 64 * 1024;
const maximumCertificates = 10;
const maximumCertificateBytes = 8 * 1024;

/** An attestation object (WebAuthn Level 3, section 6.5.4) whose statement nobody has read yet. */
export interface AttestationObject {
  readonly format: string;
  readonly statement: AttestationStatement;
}

/** CBOR, strictly: no duplicate keys, no indefinite or longer lengths than need be, no tags, nothing after the end. Throws `malformed` or `too-large`. */
export function parseAttestationObject(bytes: Uint8Array): AttestationObject {
  if (bytes.length > maximumBytes) {
    throw new SallyportError(
      'too-large',
      `attestation object of ${bytes.length} bytes, at most ${maximumBytes} are read`,
    );
  }
  const fields = membersOf(decodeStrictly(bytes, 'attestation object'), 'attestation object');
  // authData is WebAuthn's: draft-ietf-acme-device-attest-09 has it left out, and nothing of it is read.
  requireNames(fields, ['fmt', 'attStmt', 'authData'], 'attestation object');
  const format = fields.get('fmt');
  if (typeof format !== 'string') throw new SallyportError('malformed', 'fmt: expected text');
  return { format, statement: new AttestationStatement(membersOf(fields.get('attStmt'), 'attStmt')) };
}

/** The members of an attStmt, each asked for by name and type. */
export class AttestationStatement {
  readonly #members: ReadonlyMap<unknown, unknown>;

  constructor(members: ReadonlyMap<unknown, unknown>) {
    this.#members = members;
  }

  /** Throws `malformed` where there is a member that is not among `names`. */
  requireNames(names: readonly string[]): void {
    requireNames(this.#members, names, 'attStmt');
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  bytes(name: string): Uint8Array {
    return bytesOf(this.#members.get(name), name);
  }

  /** Bytes that are CBOR of bytes once more: step wraps its signatures so. */
  bytesInBytes(name: string): Uint8Array {
    return bytesOf(decodeStrictly(this.bytes(name), name), name);
  }

  text(name: string): string {
    const value = this.#members.get(name);
    if (typeof value !== 'string') throw new SallyportError('malformed', `${name}: expected text`);
    return value;
  }

  /** COSE algorithms are small negative integers. */
  integer(name: string): number {
    const value = this.#members.get(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw new SallyportError('malformed', `${name}: expected an integer`);
    }
    return value;
  }

  /** x5c: certificates in DER, the leaf first. */
  certificates(): readonly Uint8Array[] {
    const value = this.#members.get('x5c');
    if (!Array.isArray(value) || value.length === 0) {
      throw new SallyportError('malformed', 'x5c: expected certificates');
    }
    if (value.length > maximumCertificates) {
      throw new SallyportError(
        'too-large',
        `x5c: ${value.length} certificates, at most ${maximumCertificates} are read`,
      );
    }
    return value.map((each: unknown) => {
      const certificate = bytesOf(each, 'x5c');
      if (certificate.length > maximumCertificateBytes) {
        throw new SallyportError('too-large', `x5c: a certificate of ${certificate.length} bytes`);
      }
      return certificate;
    });
  }
}

function decodeStrictly(bytes: Uint8Array, what: string): unknown {
  try {
    return decode(bytes, {
      strict: true,
      useMaps: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    });
  } catch (cause) {
    throw new SallyportError('malformed', `${what}: is no strict CBOR`, { cause });
  }
}

function membersOf(value: unknown, what: string): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) throw new SallyportError('malformed', `${what}: expected a map`);
  return value;
}

function requireNames(members: ReadonlyMap<unknown, unknown>, names: readonly unknown[], what: string): void {
  for (const name of members.keys()) {
    if (names.includes(name)) continue;
    throw new SallyportError('malformed', `${what}: has a member that it must not have`);
  }
}

function bytesOf(value: unknown, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new SallyportError('malformed', `${what}: expected bytes`);
  return value;
}
