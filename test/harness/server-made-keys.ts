import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { parseCertsOnly } from '#cms';
import { parseCertificate } from '#x509';
import type { TestAuthority } from './authority.ts';
import { type ClientKey, csrFor, type CsrSettings, makeKey, renewalCsr } from './csr.ts';
import { base64, est, type EstAnswer, type EstRequest } from './est-client.ts';
import type { TestDevice } from './test-device.ts';

/** A client with a certificate of its own. */
export interface Holder {
  readonly id: string;
  readonly template: string;
  readonly key: ClientKey;
  readonly certificate: Uint8Array;
}

/** Clients of serverkeygen, and every private key that they were given in the clear or could decrypt. */
export class ServerMadeKeys {
  readonly #authority: TestAuthority;
  readonly #delivered: KeyObject[] = [];

  constructor(authority: TestAuthority) {
    this.#authority = authority;
  }

  async post(
    template: string,
    csr: Uint8Array,
    more: Partial<EstRequest>,
    operation = 'serverkeygen',
  ): Promise<EstAnswer> {
    const { est: base, trustPem: trust } = this.#authority;
    return est({ url: `${base}/${template}/${operation}`, trust, body: base64(csr), ...more });
  }

  /** With the device's secret. */
  async first(
    { id, key, secret, template }: TestDevice,
    csr: Uint8Array = csrFor(id, key),
    more: Partial<EstRequest> = {},
  ): Promise<EstAnswer> {
    return this.post(template, csr, { user: [id, secret], ...more });
  }

  /** With the client's certificate. */
  async renew(client: Holder, more: Partial<CsrSettings> = {}): Promise<EstAnswer> {
    return this.post(client.template, renewalCsr(client.certificate, makeKey(), more), { client });
  }

  /** A device that got a certificate for a key of its own. */
  async holder({ id, template, secret }: TestDevice, key = makeKey()): Promise<Holder> {
    const answer = await this.post(template, csrFor(id, key), { user: [id, secret] }, 'simpleenroll');
    assert.equal(answer.status, 200, answer.text);
    return { id, template, key, certificate: answer.certificates[0]! };
  }

  /** The answer holds a key in the clear, under TLS alone, and its certificate. */
  assertMade(answer: EstAnswer): { key: KeyObject; certificate: Uint8Array } {
    const { keyType, key, certificate } = partsOf(answer);
    assert.equal(keyType, 'application/pkcs8');
    return { key: this.assertFits(key, certificate), certificate };
  }

  assertFits(pkcs8: Uint8Array, certificate: Uint8Array): KeyObject {
    const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
    assert.deepEqual(spki, Buffer.from(parseCertificate(certificate).spki));
    this.#delivered.push(key);
    return key;
  }

  /** What must stand nowhere: PKCS #8, the scalar of an EC key, exponent and primes of RSA. */
  get secrets(): Uint8Array[] {
    return this.#delivered.flatMap((key) => {
      const { d, p, q } = key.export({ format: 'jwk' });
      const numbers = [d, p, q].filter((number) => number !== undefined);
      return [
        new Uint8Array(key.export({ type: 'pkcs8', format: 'der' })),
        ...numbers.map((number) => new Uint8Array(Buffer.from(number, 'base64url'))),
      ];
    });
  }
}

/** RFC 7030 section 4.4.2: two parts, the second one the certificate as simpleenroll gives it. */
export function partsOf(answer: EstAnswer): { keyType: string; key: Buffer; certificate: Uint8Array } {
  assert.equal(answer.status, 200, answer.text);
  const type = /^multipart\/mixed; boundary=([\w'()+,./:=?-]{1,70})$/.exec(answer.headers['content-type']!);
  const [preamble, ...parts] = answer.text.split(new RegExp(`(?:^|\r\n)--${type![1]}`));
  assert.deepEqual([preamble, parts.pop(), parts.length], ['', '--\r\n', 2]);
  const [key, certificates] = parts.map((part) => {
    const [head = '', body = ''] = part.split('\r\n\r\n');
    const lines = head.trim().split('\r\n');
    const headers = new Map(lines.map((line) => line.split(': ') as [string, string]));
    assert.equal(headers.get('Content-Transfer-Encoding'), 'base64');
    assert.match(body, /^(?:[A-Za-z0-9+/]+\n?)+={0,2}\n?$/);
    return { type: headers.get('Content-Type')!, bytes: Buffer.from(body, 'base64') };
  });
  assert.equal(certificates!.type, 'application/pkcs7-mime; smime-type=certs-only');
  const [certificate, ...others] = parseCertsOnly(certificates!.bytes);
  assert.equal(others.length, 0);
  return { keyType: key!.type, key: key!.bytes, certificate: certificate! };
}
