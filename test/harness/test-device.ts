import assert from 'node:assert/strict';
import type { TestAuthority } from './authority.ts';
import { type ClientKey, csrFor, makeKey, renewalCsr } from './csr.ts';
import { base64, est, type EstAnswer } from './est-client.ts';

export interface DeviceSettings {
  readonly deviceClass?: string;
  readonly template?: string;
  readonly identifiers?: Record<string, string>;
}

/** What may differ from one asking to the next. */
export interface Asking {
  readonly key?: ClientKey;
  readonly csr?: Uint8Array;
  readonly secret?: string;
  /** Without it the template of the device. '' for the path without a label. */
  readonly label?: string;
  /** Base of the EST addresses; without it those of the listener `enroll`. */
  readonly est?: string;
  readonly localAddress?: string;
}

/** A device of the inventory with its key, its secret and, once it has one, its certificate. */
export class TestDevice {
  readonly id: string;
  readonly key: ClientKey = makeKey();
  readonly template: string;
  secret = '';
  certificate: Uint8Array | null = null;
  #authority: TestAuthority;

  private constructor(authority: TestAuthority, id: string, template: string) {
    this.#authority = authority;
    this.id = id;
    this.template = template;
  }

  /** Approved beforehand, and with a secret. */
  static async expected(authority: TestAuthority, id: string, settings: DeviceSettings = {}) {
    return TestDevice.#make(authority, id, settings, true);
  }

  /** With a secret, and nobody has approved it. */
  static async unapproved(authority: TestAuthority, id: string, settings: DeviceSettings = {}) {
    return TestDevice.#make(authority, id, settings, false);
  }

  /** With its first certificate. */
  static async enrolled(authority: TestAuthority, id: string, settings: DeviceSettings = {}) {
    const device = await TestDevice.expected(authority, id, settings);
    const answer = await device.enroll();
    assert.equal(answer.status, 200, answer.text);
    return device;
  }

  static async #make(
    authority: TestAuthority,
    id: string,
    { deviceClass = 'laptop', template = 'device', identifiers = {} }: DeviceSettings,
    approved: boolean,
  ): Promise<TestDevice> {
    await authority.admin.device(id, { deviceClass, identifiers, approveFor: approved ? [template] : [] });
    const device = new TestDevice(authority, id, template);
    await device.newSecret();
    return device;
  }

  /** From now on it asks there. */
  moveTo(authority: TestAuthority): void {
    this.#authority = authority;
  }

  async newSecret(): Promise<void> {
    this.secret = await this.#authority.admin.secret(this.id, this.template);
  }

  async enroll(asking: Asking = {}): Promise<EstAnswer> {
    const { key = this.key, csr = csrFor(this.id, key), secret = this.secret } = asking;
    return this.#keep(await this.#ask('simpleenroll', csr, { user: [this.id, secret] }, asking));
  }

  /** For evidence to hold, of who has its secret. */
  async nonce(): Promise<Uint8Array> {
    const { est: base, trustPem: trust } = this.#authority;
    const given = await est({ url: `${base}/${this.template}/nonce`, user: [this.id, this.secret], trust });
    const { nonce } = JSON.parse(given.text) as { nonce: string };
    return Uint8Array.fromBase64(nonce, { alphabet: 'base64url' });
  }

  async renew(asking: Asking = {}): Promise<EstAnswer> {
    const { key = this.key, csr = renewalCsr(this.certificate!, key) } = asking;
    const client = { certificate: this.certificate!, key: this.key };
    return this.#keep(await this.#ask('simplereenroll', csr, { client }, asking));
  }

  async #ask(
    operation: string,
    csr: Uint8Array,
    credential: Partial<Parameters<typeof est>[0]>,
    { label = this.template, est: base = this.#authority.est, localAddress }: Asking,
  ): Promise<EstAnswer> {
    return est({
      url: `${base}${label === '' ? '' : `/${label}`}/${operation}`,
      body: base64(csr),
      trust: this.#authority.trustPem,
      ...credential,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  }

  #keep(answer: EstAnswer): EstAnswer {
    const [certificate] = answer.certificates;
    if (certificate !== undefined) this.certificate = certificate;
    return answer;
  }
}
