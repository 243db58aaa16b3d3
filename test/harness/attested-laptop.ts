import assert from 'node:assert/strict';
import type { TestAuthority } from './authority.ts';
import { type ClientKey, csrFor, makeKey, renewalCsr } from './csr.ts';
import { base64, est, type EstAnswer } from './est-client.ts';
import type { PlayedTpm } from './played-tpm.ts';

/** A device of the class `attested-laptop`, which by EST enrolls first and renews from then on, each time with another key and evidence of it. */
export class AttestedLaptop {
  readonly id: string;
  readonly #authority: TestAuthority;
  readonly #secret: string;
  #current: { readonly certificate: Uint8Array; readonly key: ClientKey } | null = null;

  private constructor(authority: TestAuthority, id: string, secret: string) {
    this.#authority = authority;
    this.id = id;
    this.#secret = secret;
  }

  static async expected(authority: TestAuthority, id: string): Promise<AttestedLaptop> {
    await authority.admin.device(id, { deviceClass: 'attested-laptop' });
    return new AttestedLaptop(authority, id, await authority.admin.secret(id));
  }

  /** A request with evidence of this TPM, to be sent as often as need be. The evidence is new each time, also of the same key. */
  async request(tpm: PlayedTpm, key: ClientKey = makeKey()): Promise<() => Promise<EstAnswer>> {
    const current = this.#current;
    const credential =
      current === null ? { user: [this.id, this.#secret] as [string, string] } : { client: current };
    const at = { trust: this.#authority.trustPem, ...credential };
    const base = `${this.#authority.est}/device`;
    const given = await est({ url: `${base}/nonce`, ...at });
    assert.equal(given.status, 200, given.text);
    const nonce = Buffer.from((JSON.parse(given.text) as { nonce: string }).nonce, 'base64url');
    const attributes = [tpm.attribute(new Uint8Array(nonce), key)];
    const csr =
      current === null
        ? csrFor(this.id, key, { attributes })
        : renewalCsr(current.certificate, key, { attributes });
    const operation = current === null ? 'simpleenroll' : 'simplereenroll';
    return async () => {
      const answer = await est({ url: `${base}/${operation}`, body: base64(csr), ...at });
      const [certificate] = answer.certificates;
      if (certificate !== undefined) this.#current = { certificate, key };
      return answer;
    };
  }

  async ask(tpm: PlayedTpm, key?: ClientKey): Promise<EstAnswer> {
    return (await this.request(tpm, key))();
  }
}
