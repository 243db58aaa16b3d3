import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { ClientFolder, type ProcessResult } from '../../harness/client-files.ts';
import { acmeResult, type AcmeClient, type AcmeResult, type AcmeServer, type AcmeTask } from './acme-task.ts';
import type { Errand } from './acme-client-driver.ts';

const driver = path.join(import.meta.dirname, 'acme-client-driver.ts');

/** The npm package acme-client: a library, here in a process of its own around its `auto()`. */
export class AcmeClientLibrary implements AcmeClient {
  readonly #folder: ClientFolder;
  readonly #server: AcmeServer;

  private constructor(folder: ClientFolder, server: AcmeServer) {
    this.#folder = folder;
    this.#server = server;
  }

  static async prepare(t: TestContext, server: AcmeServer) {
    return new AcmeClientLibrary(await ClientFolder.make(t), server);
  }

  enroll(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task);
  }

  renew(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task);
  }

  async revoke(task: AcmeTask): Promise<ProcessResult> {
    return this.#run({ ...this.#errand(task), revoke: this.#folder.path('device.pem') });
  }

  async #get(task: AcmeTask): Promise<AcmeResult> {
    const result = await this.#run(this.#errand(task));
    const file = this.#folder.path('device.pem');
    if (result.code === 0) await writeFile(file, result.stdout);
    return acmeResult(result, file);
  }

  #errand(task: AcmeTask): Errand {
    return { ...task, server: this.#server, accountKey: this.#folder.path('account.key') };
  }

  #run(errand: Errand): Promise<ProcessResult> {
    const environment = { NODE_EXTRA_CA_CERTS: this.#server.trustPem };
    const input = Buffer.from(JSON.stringify(errand));
    return this.#folder.runWith({ environment, input }, process.execPath, driver);
  }
}
