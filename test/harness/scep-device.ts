import assert from 'node:assert/strict';
import { type Certificate, parseCertificate } from '#x509';
import type { TestAuthority } from './authority.ts';
import { type ClientKey, csrFor, makeKey } from './csr.ts';
import { ScepClient, type ScepAnswer, type ScepMessage } from './scep-client.ts';

/** A device of the inventory that speaks SCEP: with its key, its secret and, once it has one, its certificate. */
export class ScepDevice {
  readonly id: string;
  readonly key: ClientKey = makeKey('rsa-2048');
  readonly secret: string;
  readonly client: ScepClient;
  certificate: Certificate | null = null;

  private constructor(id: string, secret: string, client: ScepClient) {
    this.id = id;
    this.secret = secret;
    this.client = client;
  }

  /** Approved beforehand where it says so, and with a secret. */
  static async make(
    authority: TestAuthority,
    id: string,
    { approved = true, template = 'device', deviceClass = 'laptop' } = {},
  ): Promise<ScepDevice> {
    await authority.admin.device(id, { deviceClass, approveFor: approved ? [template] : [] });
    const secret = await authority.admin.secret(id, template);
    return new ScepDevice(id, secret, await ScepClient.at(`${authority.scep}/${template}`));
  }

  static async enrolled(authority: TestAuthority, id: string): Promise<ScepDevice> {
    const device = await ScepDevice.make(authority, id);
    const answer = await device.enroll();
    assert.equal(answer.pkiStatus, 'success', answer.text);
    return device;
  }

  async enroll(more: Partial<ScepMessage> = {}): Promise<ScepAnswer> {
    const content = csrFor(this.id, this.key, { challengePassword: this.secret });
    return this.#keep(await this.client.ask({ content, key: this.key, ...more }));
  }

  /** Signed with the certificate that it has; for a new key where one is given. */
  async renew(more: Partial<ScepMessage> = {}, key: ClientKey = this.key): Promise<ScepAnswer> {
    const content = csrFor(this.id, key);
    return this.#keep(
      await this.client.ask({
        messageType: '17',
        content,
        key: this.key,
        signer: this.certificate!,
        ...more,
      }),
    );
  }

  #keep(answer: ScepAnswer): ScepAnswer {
    const [certificate] = answer.certificates;
    if (certificate !== undefined) this.certificate = parseCertificate(certificate);
    return answer;
  }
}
