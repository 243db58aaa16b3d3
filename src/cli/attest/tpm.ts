import { SallyportError } from '#errors';
import type { Der } from '#x509';
import type { KeyBlobs } from './key-file.ts';
import { isHandle } from './handle.ts';
import type { TpmTools } from './tools.ts';

export const keyForms = {
  'ec-p256': { algorithm: 'ecc256', scheme: 'ecdsa' },
  'rsa-2048': { algorithm: 'rsa2048', scheme: 'rsassa' },
} as const;
export type TpmKeyAlgorithm = keyof typeof keyForms;

/** A key that is loaded. */
export interface TpmKey {
  readonly algorithm: TpmKeyAlgorithm;
  /** It opens messages too, as SCEP's must. */
  readonly decrypts: boolean;
  readonly blobs: KeyBlobs;
  readonly spki: Der;
  /** As the tools name it: a file of theirs. */
  readonly context: string;
}

/** TPMS_ATTEST and TPMT_SIGNATURE (TPM 2.0 Part 2 sections 10.12.8 and 11.3.4). */
export interface Certified {
  readonly attest: Uint8Array;
  readonly signature: Uint8Array;
}

/** What evidence of a key must show. noda: it cannot lock the TPM out, as it has no password. */
const keyAttributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign';
/** The storage primary that TSS2 PRIVATE KEY files mean: all who load them make this one. */
const parentAttributes = 'restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda';
export const storageParent = 'parent.ctx';

/** TPM_RC_YIELDED, TPM_RC_TESTING and TPM_RC_RETRY: it was not begun. */
const again: readonly number[] = [0x908, 0x90a, 0x922];
const mostTries = 20;

/** One command after the other. */
export class Tpm {
  readonly #tools: TpmTools;
  #loaded = 0;

  private constructor(tools: TpmTools) {
    this.#tools = tools;
  }

  static async with(tools: TpmTools): Promise<Tpm> {
    await tools.run(
      'createprimary',
      '-C',
      'o',
      '-G',
      'ecc',
      '-g',
      'sha256',
      '-a',
      parentAttributes,
      '-c',
      storageParent,
    );
    await tools.flush();
    return new Tpm(tools);
  }

  /** `decrypts`: what SCEP needs of its key besides. */
  async create(algorithm: TpmKeyAlgorithm, decrypts: boolean): Promise<TpmKey> {
    const attributes = decrypts ? `${keyAttributes}|decrypt` : keyAttributes;
    const { algorithm: name } = keyForms[algorithm];
    await this.#tools.run(
      'create',
      '-C',
      storageParent,
      '-G',
      name,
      '-a',
      attributes,
      '-u',
      'key.pub',
      '-r',
      'key.priv',
    );
    await this.#tools.flush();
    return this.load({
      publicArea: await this.#tools.read('key.pub'),
      privateArea: await this.#tools.read('key.priv'),
    });
  }

  async load(blobs: KeyBlobs): Promise<TpmKey> {
    this.#loaded += 1;
    const context = `key-${this.#loaded}.ctx`;
    await this.#tools.write('key.pub', blobs.publicArea);
    await this.#tools.write('key.priv', blobs.privateArea);
    await this.#tools.run('load', '-C', storageParent, '-u', 'key.pub', '-r', 'key.priv', '-c', context);
    await this.#tools.flush();
    const spki = await this.publicKey(context);
    // TPMT_PUBLIC (TPM 2.0 Part 2 section 12.2.4) begins with type, name algorithm and attributes, behind the length.
    const { publicArea } = blobs;
    const algorithm = publicArea[3] === 0x01 ? 'rsa-2048' : 'ec-p256';
    return { algorithm, decrypts: (publicArea[7]! & 0x02) !== 0, blobs, spki, context };
  }

  /** Of what a handle or a file of the tools names. */
  async publicKey(object: string): Promise<Der> {
    await this.#tools.run('readpublic', '-c', object, '-f', 'der', '-o', 'spki');
    await this.#tools.flush();
    return this.#tools.read('spki');
  }

  /** With SHA-256, as certificates have it. */
  async sign({ context, algorithm }: TpmKey, data: Uint8Array): Promise<Uint8Array> {
    await this.#tools.write('data', data);
    const { scheme } = keyForms[algorithm];
    await this.#tools.run(
      'sign',
      '-c',
      context,
      '-g',
      'sha256',
      '-s',
      scheme,
      '-f',
      'plain',
      '-o',
      'signature',
      'data',
    );
    await this.#tools.flush();
    return this.#tools.read('signature');
  }

  /** RSAES-PKCS1-v1_5. */
  async decrypt({ context }: TpmKey, encrypted: Uint8Array): Promise<Uint8Array> {
    await this.#tools.write('encrypted', encrypted);
    await this.#tools.run('rsadecrypt', '-c', context, '-s', 'rsaes', '-o', 'plain', 'encrypted');
    await this.#tools.flush();
    const plain = await this.#tools.read('plain');
    await this.#tools.write('plain', new Uint8Array());
    return plain;
  }

  /** TPM2_Certify. tpm2_certify chooses the qualifying data itself, so the command is sent as it is; handles that outlive a tool are persistent. */
  async certify({ context }: TpmKey, attestationKey: string, qualifyingData: Uint8Array): Promise<Certified> {
    return this.#persistent(context, (key) =>
      this.#persistent(attestationKey, async (by) => {
        const answer = await this.#send(certifyCommand(key, by, qualifyingData));
        const parameters = answer.subarray(14, 14 + answer.readUInt32BE(10));
        const length = parameters.readUInt16BE(0);
        return {
          attest: new Uint8Array(parameters.subarray(2, 2 + length)),
          signature: new Uint8Array(parameters.subarray(2 + length)),
        };
      }),
    );
  }

  /** Throws 'usage' where something is kept there. */
  async requireFree(handle: string): Promise<void> {
    const kept = await this.#tools.run('getcap', 'handles-persistent');
    if (!kept.toLowerCase().includes(handle.toLowerCase())) return;
    throw new SallyportError('usage', `the TPM keeps something at ${handle} already; name another handle`);
  }

  /** Keeps the key at this handle, or at one that is free; where the work is interrupted too, for nobody would know of the handle. */
  async keep(context: string, handle: string | null = null): Promise<string> {
    const where = handle === null ? [] : [handle];
    const said = await this.#tools.conclude('evictcontrol', '-C', 'o', '-c', context, ...where);
    await this.#tools.flush();
    return /persistent-handle: (0x[0-9a-f]+)/i.exec(said)![1]!;
  }

  async #send(command: Buffer): Promise<Buffer> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#tools.send(command);
      const code = answer.readUInt32BE(6);
      if (code === 0) return answer;
      if (again.includes(code) && tries < mostTries) continue;
      const words = `TPM2_Certify failed with 0x${code.toString(16)}; the attestation key must sign, be restricted and have no password`;
      throw new SallyportError('key', words);
    }
  }

  async #persistent<T>(object: string, use: (handle: string) => Promise<T>): Promise<T> {
    if (isHandle(object)) return use(object);
    const handle = await this.keep(object);
    try {
      return await use(handle);
    } finally {
      await this.#tools.conclude('evictcontrol', '-C', 'o', '-c', handle);
    }
  }
}

/** TPM 2.0 Part 3 section 18.2, with an empty password for each key, and the scheme of the attestation key. */
function certifyCommand(key: string, by: string, qualifyingData: Uint8Array): Buffer {
  const [sessions, certify, emptyPassword, nullScheme] = ['8002', '00000148', '400000090000000000', '0010'];
  const size = (octets: number, value: number) => value.toString(16).padStart(octets * 2, '0');
  const body = [
    ...[key, by].map((handle) => handle.slice(2)),
    size(4, emptyPassword.length),
    emptyPassword,
    emptyPassword,
    size(2, qualifyingData.length),
    Buffer.from(qualifyingData).toString('hex'),
    nullScheme,
  ].join('');
  return Buffer.from(`${sessions}${size(4, 10 + body.length / 2)}${certify}${body}`, 'hex');
}
