import { attribute } from '#cms';
import { buildName, der, parseCertificate } from '#x509';
import { type ClientKey, csrFor } from '../harness/csr.ts';
import {
  issuerAndSerial,
  issuerAndSubject,
  type ScepClient,
  type ScepMessage,
  selfSigned,
} from '../harness/scep-client.ts';
import { editBytes } from './byte-edits.ts';
import type { Choices } from './choices.ts';
import { editDer } from './der-edits.ts';

/** Who may ask by SCEP. */
export interface ScepAsker {
  readonly id: string;
  readonly key: ClientKey;
  readonly secret: string;
  /** null: it has none. */
  readonly certificate: Uint8Array | null;
  readonly signed: SignedOnce;
}

/** What a device signs in the same way each time, by what it is: RSA's signatures cost more than all else that a message takes. */
export class SignedOnce {
  readonly #found = new Map<string, unknown>();

  get<T>(what: string, make: () => T): T {
    if (!this.#found.has(what)) this.#found.set(what, make());
    return this.#found.get(what) as T;
  }
}

/** A message of a device, with something wrong in one of its layers, or in none. */
export async function fuzzedMessage(
  choices: Choices,
  client: ScepClient,
  asker: ScepAsker,
  others: readonly ScepAsker[],
): Promise<Uint8Array> {
  const { what, ...message } = honest(choices, client, asker);
  const build = async (changes: Partial<ScepMessage> = {}) =>
    (await client.build({ ...message, ...changes })).body;
  const whole = () => asker.signed.get(`message ${what}`, async () => build());
  const content = Buffer.from(message.content);
  return choices.weighted<() => Promise<Uint8Array>>([
    [3, () => build()],
    // What is hidden.
    [4, () => build({ content: editDer(choices, content) })],
    [3, () => build({ content: editBytes(choices, content) })],
    [1, () => build({ content: choices.bytes(400) })],
    // The envelope.
    [4, () => build({ envelope: editDer(choices, client.envelope(message)) })],
    [3, () => build({ envelope: editBytes(choices, Buffer.from(client.envelope(message))) })],
    [1, () => build({ envelope: choices.bytes(400) })],
    // The attributes.
    [
      2,
      () =>
        build({ messageType: choices.pick(['0', '3', '17', '18', '19', '20', '21', '22', choices.text(5)]) }),
    ],
    [2, () => build({ transactionId: choices.text(300) })],
    [1, () => build({ more: [attribute('2.16.840.1.113733.1.9.5', der.octetString(choices.bytes(80)))] })],
    // Somebody else's secret or certificate.
    [
      2,
      () =>
        build({ content: csrFor(asker.id, asker.key, { challengePassword: choices.pick(others).secret }) }),
    ],
    [
      2,
      () => {
        const { id, certificate } = choices.pick(others);
        return certificate === null ? build() : build({ content: csrFor(id, asker.key) });
      },
    ],
    [
      1,
      () =>
        build({
          digest: choices.pick(['sha1', 'sha384', 'sha512']),
          transport: choices.pick(['oaep-sha1', 'oaep-sha256']),
          cipher: choices.pick(['des-ede3-cbc', 'aes-192-cbc', 'aes-256-cbc']),
        }),
    ],
    // The whole, whose signature then mostly does not verify.
    [5, async () => editDer(choices, await whole())],
    [5, async () => editBytes(choices, Buffer.from(await whole()))],
    [1, async () => choices.bytes(3000)],
  ])();
}

/** `what`: by which it is told from the others of this device. */
function honest(
  choices: Choices,
  client: ScepClient,
  { id, key, secret, certificate, signed }: ScepAsker,
): ScepMessage & { readonly what: string } {
  const subject = buildName([{ type: 'commonName', value: id }]);
  const own = signed.get('certificate', () => selfSigned(key, subject));
  const signer = certificate === null ? own : parseCertificate(certificate);
  const common = { key, transactionId: `fuzz-${id}`, signer };
  const [issuing] = client.cas;
  return choices.weighted<() => ScepMessage & { readonly what: string }>([
    [
      5,
      () => {
        const make = () => csrFor(id, key, { challengePassword: secret });
        return { ...common, what: 'first', signer: own, content: signed.get('first request', make) };
      },
    ],
    [
      3,
      () => {
        const messageType = choices.pick(['17', '19']);
        const content = signed.get('renewal', () => csrFor(id, key));
        return { ...common, what: `renewal ${messageType}`, messageType, content };
      },
    ],
    [2, () => ({ ...common, what: 'poll', messageType: '20', content: issuerAndSubject(issuing!, subject) })],
    [
      1,
      () => {
        const messageType = choices.pick(['21', '22']);
        const content = issuerAndSerial(issuing!, signer.serialNumber);
        return { ...common, what: `look-up ${messageType}`, messageType, content };
      },
    ],
  ])();
}
