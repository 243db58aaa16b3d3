import type { TestContext } from 'node:test';
import { requireClient } from '../../clients.ts';
import { ClientFolder, type ProcessResult } from '../../harness/client-files.ts';
import { acmeResult, type AcmeClient, type AcmeResult, type AcmeServer, type AcmeTask } from './acme-task.ts';
import { writeHook } from './dns-hook.ts';

const hook = `
case "$1" in
  present) present "$2" "$3" ;;
  cleanup) clear "$2" ;;
esac`;

export type LegoKey = 'ec256' | 'ec384' | 'rsa2048';

export class Lego implements AcmeClient {
  readonly #folder: ClientFolder;
  readonly #program: string;
  readonly #server: AcmeServer;
  readonly #key: LegoKey;

  private constructor(folder: ClientFolder, program: string, server: AcmeServer, key: LegoKey) {
    this.#folder = folder;
    this.#program = program;
    this.#server = server;
    this.#key = key;
  }

  static async prepare(t: TestContext, server: AcmeServer, { key = 'ec256' }: { key?: LegoKey } = {}) {
    const program = requireClient(t, 'lego');
    if (program === null || requireClient(t, 'curl') === null) return null;
    return new Lego(await ClientFolder.make(t), program, server, key);
  }

  enroll(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, 'run');
  }

  renew(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, 'renew', '--days', '9999', '--no-random-sleep');
  }

  /** By its account, for the reason `superseded`. Where the directory wants external accounts, it wants to be told one for that too. */
  async revoke({ names, eab }: AcmeTask): Promise<ProcessResult> {
    return this.#run([...this.#always(names), ...boundBy(eab), 'revoke', '--keep', '--reason', '4']);
  }

  async #get({ names, challenge, eab }: AcmeTask, ...command: string[]): Promise<AcmeResult> {
    const words = [...this.#always(names), ...this.#solver(challenge), ...boundBy(eab), ...command];
    const result = await this.#run(words, await writeHook(this.#folder, this.#server, hook));
    // A wildcard's name as lego writes it into a file's.
    return acmeResult(result, this.#folder.path(`certificates/${names[0]!.replace('*', '_')}.crt`));
  }

  #solver(challenge: AcmeTask['challenge']): string[] {
    const { httpPort, tlsPort, dns } = this.#server;
    if (challenge === 'http-01') return ['--http', '--http.port', `127.0.0.1:${httpPort}`];
    if (challenge === 'tls-alpn-01') return ['--tls', '--tls.port', `127.0.0.1:${tlsPort}`];
    return ['--dns', 'exec', '--dns.disable-cp', '--dns.resolvers', dns];
  }

  #always(names: readonly string[]): string[] {
    const account = ['--accept-tos', '--email', 'operator@example.test', '--key-type', this.#key];
    const words = ['--server', this.#server.directoryUrl, '--path', this.#folder.directory, ...account];
    return [...words, ...names.flatMap((name) => ['--domains', name])];
  }

  #run(words: readonly string[], hookFile = ''): Promise<ProcessResult> {
    const environment = {
      LEGO_CA_CERTIFICATES: this.#server.trustPem,
      EXEC_PATH: hookFile,
      // Seconds: between the names of one order it would wait 60, and 2 between its look-ups.
      EXEC_SEQUENCE_INTERVAL: '1',
      EXEC_POLLING_INTERVAL: '1',
    };
    return this.#folder.runWith({ environment }, this.#program, ...words);
  }
}

function boundBy(eab: AcmeTask['eab']): string[] {
  return eab === null ? [] : ['--eab', '--kid', eab.kid, '--hmac', eab.hmacKey];
}
