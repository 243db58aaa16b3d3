import { createHash, createHmac, generateKeyPairSync, sign, timingSafeEqual, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decode, encode } from 'cborg';
import { statementTypes } from '#evidence';
import { der, oids } from '#x509';
import type { Cleanup } from './authority.ts';
import { type ClientKey, privateKeyPem } from './csr.ts';
import { OtherSystem, type Question, type Reply } from './other-system.ts';
import { TestCa } from './pki.ts';

export const vendorFormat = 'samsung-knox';

/** What the vendor's hardware signs. */
interface Blob {
  readonly nonce: string;
  readonly spki: string;
  readonly serialNumber: string;
}

/** A vendor whose evidence nobody else can read: hardware that signs, and a service that has the key. */
export class Vendor {
  readonly #keys = generateKeyPairSync('ed25519');

  object(nonce: Uint8Array, key: ClientKey, serialNumber: string, fmt = vendorFormat): Uint8Array {
    const inBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    const said: Blob = { nonce: inBase64(nonce), spki: inBase64(key.spki), serialNumber };
    const blob = new Uint8Array(Buffer.from(JSON.stringify(said)));
    return encode({ fmt, attStmt: { blob, sig: new Uint8Array(sign(null, blob, this.#keys.privateKey)) } });
  }

  /** The attribute of a request. */
  attribute(object: Uint8Array) {
    const statement = der.sequence(der.oid(statementTypes.attestationObject), der.octetString(object));
    return { oid: oids.attestation, values: [der.sequence(der.sequence(statement))] };
  }

  /** null: the vendor's hardware has not signed it. */
  read(object: Uint8Array): Blob | null {
    const { attStmt } = decode(object) as { attStmt: { blob: Uint8Array; sig: Uint8Array } };
    if (!verify(null, attStmt.blob, this.#keys.publicKey, attStmt.sig)) return null;
    return JSON.parse(Buffer.from(attStmt.blob).toString('utf8')) as Blob;
  }
}

export interface VerifyQuestion {
  readonly schema: string;
  readonly requestId: string;
  readonly time: string;
  readonly template: string;
  readonly format: string;
  readonly evidence: string;
  readonly nonce: string;
  readonly spki: string | null;
  readonly device: { readonly id: string; readonly identifiers: Readonly<Record<string, string>> };
}

export type Answer = Record<string, unknown>;

/** A verifier as an operator would write one: who connects has a certificate, what is asked has a signature that is not old, and then the vendor is asked. */
export class VerifierService {
  readonly system: OtherSystem;
  readonly vendor = new Vendor();
  readonly #folder: string;
  readonly #key: string;
  /** What becomes of a right answer on its way: a test's lever. */
  changed: (answer: Answer, question: VerifyQuestion) => Reply | 'hang' = (answer) => ({ body: answer });

  private constructor(system: OtherSystem, folder: string, key: string) {
    this.system = system;
    this.#folder = folder;
    this.#key = key;
    system.answering = (question) => this.#reply(question);
  }

  static async start(cleanup: Cleanup): Promise<VerifierService> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-verifier-'));
    cleanup.after(() => rm(folder, { recursive: true, force: true }));
    const clients = TestCa.root('Clients of the verifier');
    const client = (ca: TestCa) =>
      ca.endEntity({
        subject: [{ type: 'commonName', value: 'sallyport' }],
        extendedKeyUsage: ['clientAuth'],
      });
    const key = 'a key that the verifier has, and nobody else';
    const [own, stranger] = [client(clients), client(TestCa.root('Somebody'))];
    const files: Record<string, string> = {
      'client.pem': own.pem,
      'client.key': privateKeyPem(own.key),
      'stranger.pem': stranger.pem,
      'stranger.key': privateKeyPem(stranger.key),
      'other-ca.pem': TestCa.root('Another CA').pem,
      'hmac.key': key,
      'other.key': `${key}!`,
      'short.key': 'short',
      'empty.pem': '',
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(path.join(folder, name), text, { mode: 0o600 });
    }
    const system = await OtherSystem.start(cleanup, () => 'hang', clients.pem);
    return new VerifierService(system, folder, key);
  }

  /** For `attestation.verifiers`. */
  settings(changed: { [Name in 'client' | 'clientKey' | 'ca' | 'key' | 'timeout']?: string } = {}): object {
    const file = (name: string) => path.join(this.#folder, name);
    const { client = 'client', clientKey = client, ca, key = 'hmac.key', timeout = '2s' } = changed;
    return {
      url: `${this.system.url}/verify`,
      ca: ca === undefined ? this.system.caFile : file(ca),
      client: { certificate: file(`${client}.pem`), key: { file: file(`${clientKey}.key`) } },
      key: { file: file(key) },
      formats: [vendorFormat],
      identifiers: ['serialNumber', 'imei'],
      timeout,
    };
  }

  get questions(): readonly VerifyQuestion[] {
    return this.system.questions.map(({ text }) => JSON.parse(text) as VerifyQuestion);
  }

  #reply(question: Question): Reply | 'hang' {
    if (!this.#isSigned(question)) return { status: 401 };
    const asked = JSON.parse(question.text) as VerifyQuestion;
    const blob = this.vendor.read(Buffer.from(asked.evidence, 'base64'));
    if (blob === null) return this.changed({ decision: 'refused', code: 'not-signed' }, asked);
    const answer = {
      decision: 'verified',
      code: 'knox-v3',
      nonce: blob.nonce,
      fresh: blob.nonce === asked.nonce,
      spki: createHash('sha256').update(Buffer.from(blob.spki, 'base64')).digest('hex'),
      level: 'tee',
      identities: { serialNumber: blob.serialNumber },
    };
    return this.changed(answer, asked);
  }

  #isSigned({ headers, text, method, path: target }: Question): boolean {
    const [, time = '', mac = ''] =
      /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(String(headers['sallyport-signature'])) ?? [];
    const own = createHmac('sha256', this.#key).update(`${time}.${text}`).digest();
    const isNew = Math.abs(Date.now() / 1000 - Number(time)) < 300;
    const isOurs = method === 'POST' && target === '/verify';
    return isOurs && isNew && mac.length === 64 && timingSafeEqual(Buffer.from(mac, 'hex'), own);
  }
}
