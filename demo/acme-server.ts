import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { AcmeRequest } from './acme-client.ts';
import type { DemoAuthority } from './demo-authority.ts';
import { must } from './run.ts';
import { say, shown, type Told } from './story.ts';

const client = path.join(import.meta.dirname, 'acme-client.ts');

/** A web server with an ACME account: a folder with its key, and a process of Node.js for each order. */
export class AcmeServer {
  readonly #folder: string;
  readonly #authority: DemoAuthority;
  #eab: AcmeRequest['eab'];

  private constructor(folder: string, authority: DemoAuthority, eab: AcmeRequest['eab']) {
    this.#folder = folder;
    this.#authority = authority;
    this.#eab = eab;
  }

  /** `names`: what an operator gives its account. */
  static async make(
    folder: string,
    id: string,
    names: string,
    authority: DemoAuthority,
  ): Promise<AcmeServer> {
    await mkdir(folder);
    const words = ['eab', 'create', '--device', id, '--template', 'web', '--name', names, '--approve'];
    shown(`sallyport ${words.join(' ')}`);
    const { keyId, hmacKey } = (await authority.json(...words)) as { keyId: string; hmacKey: string };
    say(`  key id ${keyId}`);
    return new AcmeServer(folder, authority, { kid: keyId, hmacKey });
  }

  /** Proves it by http-01, where it has to. */
  async order(name: string, what: string, expected: Told['expected']): Promise<Told> {
    shown(`a web server process, with the library acme-client, for ${name}`);
    const { acme: directoryUrl, trust, httpPort } = this.#authority;
    const request: AcmeRequest = {
      folder: this.#folder,
      name,
      directoryUrl,
      trust,
      httpPort,
      eab: this.#eab,
    };
    const environment = { ...process.env, NODE_EXTRA_CA_CERTS: trust };
    const printed = await must(process.execPath, [client, JSON.stringify(request)], undefined, environment);
    const { status, text } = JSON.parse(printed) as { status: string; text: string };
    this.#eab = null;
    say(status === 'issued' ? '  issued, and the certificate verifies' : `  ${status.toUpperCase()} ${text}`);
    return { what, expected };
  }
}
