import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { DemoAuthority } from './demo-authority.ts';
import { must } from './run.ts';
import type { ScepRequest } from './scep-client.ts';
import { say, shown, type Told } from './story.ts';

const client = path.join(import.meta.dirname, 'scep-client.ts');

/** A device that speaks SCEP: a folder with a key, and a process of Node.js for each of its messages. */
export class ScepDevice {
  readonly #folder: string;
  readonly #id: string;
  readonly #authority: DemoAuthority;

  private constructor(folder: string, id: string, authority: DemoAuthority) {
    this.#folder = folder;
    this.#id = id;
    this.#authority = authority;
  }

  static async make(folder: string, id: string, authority: DemoAuthority): Promise<ScepDevice> {
    await mkdir(folder);
    return new ScepDevice(folder, id, authority);
  }

  enroll(secret: string, what: string, expected: Told['expected']): Promise<Told> {
    shown(`a device process, as ${this.#id} with its SECRET as challengePassword`);
    return this.#ask('enroll', secret, what, expected);
  }

  poll(what: string, expected: Told['expected']): Promise<Told> {
    shown('a device process, with a CertPoll');
    return this.#ask('poll', '', what, expected);
  }

  renew(what: string, expected: Told['expected']): Promise<Told> {
    shown('a device process, with a RenewalReq signed by its certificate');
    return this.#ask('renew', '', what, expected);
  }

  async #ask(
    asks: ScepRequest['asks'],
    secret: string,
    what: string,
    expected: Told['expected'],
  ): Promise<Told> {
    const { scep: url, trust } = this.#authority;
    const request: ScepRequest = { folder: this.#folder, id: this.#id, url, trust, asks, secret };
    const printed = await must(process.execPath, [client, JSON.stringify(request)]);
    const { status, text } = JSON.parse(printed) as { status: string; text: string };
    say(
      status === 'success' ? '  SUCCESS, and the certificate verifies' : `  ${status.toUpperCase()} ${text}`,
    );
    return { what, expected };
  }
}
