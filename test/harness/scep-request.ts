import assert from 'node:assert/strict';
import {
  type Certificate,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  type Extension,
  extensionOids,
  type GeneralName,
  type KeyUsage,
  parseCertificate,
} from '#x509';
import { makeCsr, makeKey } from './csr.ts';
import type { ScepClient } from './scep-client.ts';

const types: Readonly<Record<string, string>> = {
  CN: 'commonName',
  O: 'organizationName',
  OU: 'organizationalUnitName',
};

/** A request put together from the values of a profile, and from nothing else. */
export class ScepRequest {
  readonly #key = makeKey('rsa-2048');
  readonly #subject: { type: string; value: string }[] = [];
  readonly #names: GeneralName[] = [];
  readonly #extensions: Extension[] = [];

  subject(shortName: string, value: string): this {
    this.#subject.push({ type: types[shortName] ?? shortName, value });
    return this;
  }

  name(kind: 'dns' | 'email' | 'uri', value: string): this {
    this.#names.push({ kind, value });
    return this;
  }

  keyUsage(usages: Readonly<Partial<Record<KeyUsage, boolean>>>): this {
    const given = Object.entries(usages).filter(([, isGiven]) => isGiven);
    const value = encodeKeyUsage(given.map(([usage]) => usage as KeyUsage));
    this.#extensions.push({ oid: extensionOids.keyUsage, critical: true, value });
    return this;
  }

  extendedKeyUsage(purposes: readonly string[]): this {
    const value = encodeExtendedKeyUsage(purposes);
    this.#extensions.push({ oid: extensionOids.extendedKeyUsage, critical: false, value });
    return this;
  }

  async ask(client: ScepClient, challengePassword: string): Promise<Certificate> {
    const content = makeCsr({
      key: this.#key,
      subject: this.#subject,
      subjectAltName: this.#names,
      extensions: this.#extensions,
      challengePassword,
    });
    const answer = await client.ask({ content, key: this.#key });
    assert.equal(answer.pkiStatus, 'success', answer.text);
    return parseCertificate(answer.certificates[0]!);
  }
}
