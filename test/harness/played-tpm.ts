import { createHash, createPublicKey, sign } from 'node:crypto';
import { encode } from 'cborg';
import { statementTypes } from '#evidence';
import { der, type Der, type Extension, type GeneralName, oids } from '#x509';
import { type ClientKey, makeKey } from './csr.ts';
import type { TestCa } from './pki.ts';

/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth and sign (TPM 2.0 Library, part 2, section 8.3). */
const signingKey = 0x0004_0072;
export const keyAttributes = {
  signingKey,
  signAndDecrypt: 0x0006_0072,
  /** Without fixedTPM and fixedParent. */
  exportable: 0x0004_0060,
  /** It signs what the TPM says, and nothing else. */
  restricted: 0x0005_0072,
} as const;

interface Certifying {
  readonly attributes?: number;
  /** So many certificates more, which nobody needs. */
  readonly beside?: number;
}

/** A TPM that is played here: by the octets that a real one sends (test/interop has real ones). */
export class PlayedTpm {
  readonly #key: ClientKey;
  readonly #chain: readonly Der[];

  /** `chain`: of the certificate of its attestation key, which comes first. */
  constructor(key: ClientKey, chain: readonly Uint8Array[]) {
    this.#key = key;
    this.#chain = chain.map((each) => new Uint8Array(each));
  }

  /**
   * `deviceId`: the device as which the attestation CA knows it; null: as none. `model`, `firmware`, `extensions`, further `names`: as its certificate has them. `key`: its attestation key, which
   * it shares with another.
   */
  static certifiedBy(
    ca: TestCa,
    deviceId: string | null,
    {
      model = 'ST33',
      firmware = '00010203',
      key = makeKey(),
      extensions = [],
      names = [],
    }: {
      model?: string;
      firmware?: string;
      key?: ClientKey;
      extensions?: readonly Extension[];
      names?: readonly GeneralName[];
    } = {},
  ): PlayedTpm {
    const tpm = tpmName(model, firmware);
    const subjectAltName = [tpm, ...(deviceId === null ? [] : [permanentIdentifier(deviceId)]), ...names];
    const { certificate } = ca.endEntity({
      key,
      subject: [{ type: 'commonName', value: 'attestation key' }],
      subjectAltName,
      extendedKeyUsage: ['tcgAttestationIdentityKey'],
      extensions,
    });
    return new PlayedTpm(key, [certificate, ca.certificate]);
  }

  /** The attribute of a request. */
  attribute(nonce: Uint8Array, key: ClientKey, settings: Certifying = {}) {
    const { attest, signature, publicArea } = this.#certify(nonce, key, settings);
    const statement = der.sequence(
      der.octetString(attest),
      der.octetString(signature),
      der.octetString(publicArea),
    );
    const statements = der.sequence(der.sequence(der.oid(statementTypes.tpmCertify), statement));
    const certificates = der.sequence(...this.#sent(settings));
    return { oid: oids.attestation, values: [der.sequence(statements, certificates)] };
  }

  /** An attestation object. */
  object(toBeSigned: string, key: ClientKey, settings: Certifying = {}): Uint8Array {
    const { attest, signature, publicArea } = this.#certify(sha256(Buffer.from(toBeSigned)), key, settings);
    const attStmt = {
      ver: '2.0',
      alg: -7,
      x5c: this.#sent(settings),
      sig: signature,
      certInfo: attest,
      pubArea: publicArea,
    };
    return encode({ fmt: 'tpm', attStmt });
  }

  #sent({ beside = 0 }: Certifying): readonly Der[] {
    return [...this.#chain, ...Array.from({ length: beside }, () => this.#chain.at(-1)!)];
  }

  #certify(qualifyingData: Uint8Array, key: ClientKey, { attributes = signingKey }: Certifying) {
    const publicArea = publicAreaOf(key, attributes);
    const attest = join(
      u32(0xff544347),
      u16(0x8017),
      sized(nameOf(Buffer.of(1))),
      sized(qualifyingData),
      new Uint8Array(25),
      sized(nameOf(publicArea)),
      sized(nameOf(Buffer.of(2))),
    );
    const signature = new Uint8Array(sign('sha256', attest, this.#key.privateKey));
    return { attest, signature, publicArea };
  }
}

/** TPMT_PUBLIC (part 2, section 12.2.4), without scheme, policy or symmetric algorithm. */
function publicAreaOf({ algorithm, spki }: ClientKey, attributes: number): Uint8Array {
  const jwk = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }).export({
    format: 'jwk',
  });
  const head = (type: number) =>
    join(u16(type), u16(0x000b), u32(attributes), sized(new Uint8Array()), u16(0x10), u16(0x10));
  const octets = (text: string | undefined) => Buffer.from(text!, 'base64url');
  return algorithm === 'rsa-2048'
    ? join(head(0x0001), u16(2048), u32(0), sized(octets(jwk.n)))
    : join(head(0x0023), u16(0x0003), u16(0x10), sized(octets(jwk.x)), sized(octets(jwk.y)));
}

export function tpmName(model: string, firmware: string): GeneralName {
  const attributes = {
    '2.23.133.2.1': 'id:53544D20',
    '2.23.133.2.2': model,
    '2.23.133.2.3': `id:${firmware}`,
  };
  const value = [
    Object.entries(attributes).map(([type, text]) => ({ type, value: text, encoding: 'utf8' as const })),
  ];
  return { kind: 'directoryName', value };
}

/** RFC 4043. */
export function permanentIdentifier(value: string, assigner?: string): GeneralName {
  const encoded = der.sequence(der.utf8String(value), ...(assigner === undefined ? [] : [der.oid(assigner)]));
  return {
    kind: 'otherName',
    type: oids.permanentIdentifier,
    value: Buffer.from(encoded).toString('base64'),
  };
}

const nameOf = (octets: Uint8Array) => join(u16(0x000b), sha256(octets));
const sha256 = (octets: Uint8Array) => createHash('sha256').update(octets).digest();
const u16 = (value: number) => Buffer.of(value >> 8, value & 0xff);
const u32 = (value: number) =>
  Buffer.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
const sized = (octets: Uint8Array) => join(u16(octets.length), octets);
const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
