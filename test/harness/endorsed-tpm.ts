import {
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  privateDecrypt,
  sign,
} from 'node:crypto';
import type { GeneralName } from '#x509';
import { type ClientKey, makeKey } from './csr.ts';
import type { CertificateSettings, TestCa } from './pki.ts';

/** TPMA_OBJECT: what an attestation key has, and what a key for signatures has. */
export const restrictedSigning = 0x0005_0072;
export const plainSigning = 0x0004_0072;

/** A manufacturer that TCG knows, and the one of software TPMs. */
export const hardware = tpmName('id:53544D20', 'ST33', 'id:00010203');
export const software = tpmName('id:00001014', 'swtpm', 'id:20191023');

export interface PlayedKey {
  readonly key: ClientKey;
  /** TPMT_PUBLIC. */
  readonly publicArea: Buffer;
}

/** Members of the first message, to be changed. */
export interface AttestMembers {
  ek: string;
  ekCerts: string[];
  params: Record<string, unknown>;
  [other: string]: unknown;
}

/**
 * A TPM with an endorsement key on P-256 (template L-2) or of RSA (L-1), played by the octets of the TPM 2.0 Library: the part of a client that holds it is written here anew, and
 * shares nothing with what it is tested against.
 */
export class EndorsedTpm {
  readonly #key: ClientKey;
  readonly certificate: Uint8Array;
  readonly chain: readonly Uint8Array[];

  constructor(
    maker: TestCa,
    { kind = 'ec-p256', ...settings }: Partial<CertificateSettings> & { kind?: 'ec-p256' | 'rsa-2048' } = {},
  ) {
    this.#key = settings.key ?? makeKey(kind);
    const { certificate, chain } = maker.endEntity({
      subject: [],
      key: this.#key,
      subjectAltName: [hardware],
      extendedKeyUsage: ['tcgEndorsementKey'],
      keyUsage: [kind === 'rsa-2048' ? 'keyEncipherment' : 'keyAgreement'],
      ...settings,
    });
    this.certificate = certificate;
    this.chain = chain;
  }

  /** As the inventory has it. */
  get ekSha256(): string {
    return createHash('sha256').update(this.#key.spki).digest('hex');
  }

  get key(): ClientKey {
    return this.#key;
  }

  createKey(attributes = restrictedSigning): PlayedKey {
    const key = makeKey();
    return { key, publicArea: publicAreaOf(key, attributes) };
  }

  /** The first message of step's client. */
  attest({ key, publicArea }: PlayedKey, changed: Partial<AttestMembers> = {}): AttestMembers {
    const data = Buffer.concat([
      u32(0),
      sized(Buffer.alloc(32)),
      u8(1),
      u16(0x000b),
      sized(),
      sized(),
      sized(),
    ]);
    const attest = Buffer.concat([
      u32(0xff544347),
      u16(0x801a),
      sized(Buffer.alloc(34, 1)),
      sized(),
      Buffer.alloc(8 + 4 + 4),
      u8(1),
      Buffer.alloc(8),
      sized(nameOf(publicArea)),
      sized(createHash('sha256').update(data).digest()),
    ]);
    const raw = sign('sha256', attest, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    const signature = Buffer.concat([
      u16(0x0018),
      u16(0x000b),
      sized(raw.subarray(0, 32)),
      sized(raw.subarray(32)),
    ]);
    return {
      tpmInfo: { version: 2, manufacturer: '1398033696', model: 'ST33' },
      ek: base64(this.#key.spki),
      ekCerts: [this.certificate, ...this.chain].map(base64),
      params: {
        public: base64(publicArea),
        createData: base64(data),
        createAttestation: base64(attest),
        createSignature: base64(signature),
      },
      ...changed,
    };
  }

  /** TPM2_ActivateCredential (part 1 section 24). Throws where the TPM would refuse. */
  activate({ publicArea }: PlayedKey, answer: { credential: string; secret: string }): Buffer {
    const shared = unsized(Buffer.from(answer.secret, 'base64'));
    const seed =
      this.#key.algorithm === 'rsa-2048'
        ? privateDecrypt(
            { key: this.#key.privateKey, oaepHash: 'sha256', oaepLabel: Buffer.from('IDENTITY\0') },
            shared,
          )
        : this.#agree(shared);
    const blob = unsized(Buffer.from(answer.credential, 'base64'));
    const mac = blob.subarray(2, 2 + blob.readUInt16BE());
    const encrypted = blob.subarray(2 + mac.length);
    const name = nameOf(publicArea);
    const integrity = createHmac('sha256', kdfa(seed, 'INTEGRITY', Buffer.alloc(0), 256));
    if (!integrity.update(encrypted).update(name).digest().equals(mac)) throw new Error('TPM_RC_INTEGRITY');
    const storage = kdfa(seed, 'STORAGE', name, 128);
    const decipher = createDecipheriv('aes-128-cfb', storage, Buffer.alloc(16));
    return unsized(Buffer.concat([decipher.update(encrypted), decipher.final()]));
  }

  /** KDFe over the x-coordinate that both sides come to. */
  #agree(point: Buffer): Buffer {
    const x = unsized(point.subarray(0, 34));
    const y = unsized(point.subarray(34));
    const jwk = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    const z = diffieHellman({ privateKey: this.#key.privateKey, publicKey });
    const own = coordinatesOf(this.#key)[0];
    return createHash('sha256')
      .update(Buffer.concat([u32(1), z, Buffer.from('IDENTITY\0'), x, own]))
      .digest();
  }
}

function publicAreaOf(key: ClientKey, attributes: number): Buffer {
  const [x, y] = coordinatesOf(key);
  return Buffer.concat([
    u16(0x0023),
    u16(0x000b),
    u32(attributes),
    sized(),
    u16(0x0010),
    u16(0x0018),
    u16(0x000b),
    u16(0x0003),
    u16(0x0010),
    sized(x),
    sized(y),
  ]);
}

function coordinatesOf({ spki }: ClientKey): readonly [x: Buffer, y: Buffer] {
  const point = Buffer.from(spki).subarray(-64);
  return [point.subarray(0, 32), point.subarray(32)];
}

function nameOf(publicArea: Buffer): Buffer {
  return Buffer.concat([u16(0x000b), createHash('sha256').update(publicArea).digest()]);
}

function kdfa(key: Buffer, label: string, context: Buffer, bits: number): Buffer {
  const hmac = createHmac('sha256', key);
  hmac.update(Buffer.concat([u32(1), Buffer.from(`${label}\0`), context, u32(bits)]));
  return hmac.digest().subarray(0, bits / 8);
}

function tpmName(manufacturer: string, model: string, version: string): GeneralName {
  return {
    kind: 'directoryName',
    value: [
      [
        { type: '2.23.133.2.1', value: manufacturer, encoding: 'utf8' },
        { type: '2.23.133.2.2', value: model, encoding: 'utf8' },
        { type: '2.23.133.2.3', value: version, encoding: 'utf8' },
      ],
    ],
  };
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const u8 = (value: number) => Buffer.of(value);
const u16 = (value: number) => Buffer.of(value >> 8, value & 0xff);

function u32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

function sized(content: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([u16(content.length), content]);
}

function unsized(octets: Buffer): Buffer {
  const content = octets.subarray(2, 2 + octets.readUInt16BE());
  if (content.length !== octets.length - 2) throw new Error('TPM_RC_SIZE');
  return content;
}
