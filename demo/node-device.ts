import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { DemoAuthority } from './demo-authority.ts';
import type { Device } from './device.ts';
import type { NodeRequest } from './node-client.ts';
import { must } from './run.ts';
import { say, shown, type Told } from './story.ts';

const client = path.join(import.meta.dirname, 'node-client.ts');

/** A device where there is neither curl nor openssl: a folder with a key, and a process of Node.js for each of its requests. */
export class NodeDevice implements Device {
  readonly #folder: string;
  readonly #id: string;
  readonly #authority: DemoAuthority;

  private constructor(folder: string, id: string, authority: DemoAuthority) {
    this.#folder = folder;
    this.#id = id;
    this.#authority = authority;
  }

  static async make(folder: string, id: string, authority: DemoAuthority): Promise<NodeDevice> {
    await mkdir(folder);
    return new NodeDevice(folder, id, authority);
  }

  enroll(secret: string, what: string, expected: Told['expected']): Promise<Told> {
    shown(`a device process, as ${this.#id} with its SECRET …/simpleenroll`);
    return this.#ask('simpleenroll', secret, what, expected);
  }

  renew(what: string, expected: Told['expected']): Promise<Told> {
    shown(`a device process, with its certificate …/simplereenroll`);
    return this.#ask('simplereenroll', null, what, expected);
  }

  async #ask(
    operation: string,
    secret: string | null,
    what: string,
    expected: Told['expected'],
  ): Promise<Told> {
    const request: NodeRequest = {
      folder: this.#folder,
      id: this.#id,
      url: `${this.#authority.est}/${operation}`,
      trust: this.#authority.trust,
      secret,
    };
    const printed = await must(process.execPath, [client, JSON.stringify(request)]);
    const { status, text } = JSON.parse(printed) as { status: number; text: string };
    say(status === 200 ? '  HTTP 200, and the certificate verifies' : `  HTTP ${status}: ${text}`);
    return { what, expected };
  }
}
