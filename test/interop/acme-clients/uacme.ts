import type { TestContext } from 'node:test';
import { requireClient } from '../../clients.ts';
import { ClientFolder, type ProcessResult } from '../../harness/client-files.ts';
import { acmeResult, type AcmeClient, type AcmeResult, type AcmeServer, type AcmeTask } from './acme-task.ts';
import { writeHook } from './dns-hook.ts';
import { WebFolder } from './web-folder.ts';

/** A hook that does not end with 0 declines the challenge, and uacme goes on to the next one. */
const hook = (challenge: string, web: string) => `
[ "$2" = '${challenge}' ] || exit 1
case "$1 $2" in
  'begin http-01') printf %s "$5" > "${web}/$4" ;;
  *' http-01') rm -f "${web}/$4" ;;
  'begin dns-01') present "_acme-challenge.$3" "$5" ;;
  *' dns-01') clear "_acme-challenge.$3" ;;
  *) exit 1 ;;
esac`;

/** It trusts what the system trusts, so it runs where the server's root is all of that: in a mount namespace of its own, which takes root. */
const trusting = 'mount --bind "$1" /etc/ssl/certs/ca-certificates.crt && shift && exec "$@"';

export class Uacme implements AcmeClient {
  readonly #folder: ClientFolder;
  readonly #program: string;
  readonly #server: AcmeServer;
  readonly #web: WebFolder;

  private constructor(folder: ClientFolder, program: string, server: AcmeServer, web: WebFolder) {
    this.#folder = folder;
    this.#program = program;
    this.#server = server;
    this.#web = web;
  }

  static async prepare(t: TestContext, server: AcmeServer) {
    const program = requireClient(t, 'uacme');
    if (program === null || requireClient(t, 'curl') === null) return null;
    if (process.getuid!() !== 0) {
      t.skip(
        'uacme trusts the certificates of the system alone, and only root can put others in their place',
      );
      return null;
    }
    const folder = await ClientFolder.make(t);
    return new Uacme(folder, program, server, await WebFolder.open(t, folder, server.httpPort));
  }

  async enroll(task: AcmeTask): Promise<AcmeResult> {
    const { eab } = task;
    const bound = eab === null ? [] : ['--eab', `${eab.kid}:${eab.hmacKey}`];
    const registered = await this.#run('--yes', ...bound, 'new', 'operator@example.test');
    return registered.code === 0 ? this.#get(task) : { ...registered, certificate: null };
  }

  renew(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, '--force');
  }

  async revoke({ names }: AcmeTask): Promise<ProcessResult> {
    return this.#run('revoke', this.#certificate(names));
  }

  async #get({ names, challenge }: AcmeTask, ...more: string[]): Promise<AcmeResult> {
    const script = await writeHook(this.#folder, this.#server, hook(challenge, this.#web.directory));
    const words = ['--type', 'EC', '--hook', script, '--no-ocsp', ...more, 'issue', ...names];
    return acmeResult(await this.#run(...words), this.#certificate(names));
  }

  #certificate(names: readonly string[]): string {
    return this.#folder.path(`uacme/${names[0]!}/cert.pem`);
  }

  #run(...words: string[]): Promise<ProcessResult> {
    const { directoryUrl, trustPem } = this.#server;
    const always = ['--verbose', '--acme-url', directoryUrl, '--confdir', this.#folder.path('uacme')];
    const uacme = [this.#program, ...always, ...words];
    return this.#folder.run('unshare', '--mount', 'sh', '-c', trusting, 'sh', trustPem, ...uacme);
  }
}
