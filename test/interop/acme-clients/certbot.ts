import type { TestContext } from 'node:test';
import { requireClient } from '../../clients.ts';
import { ClientFolder, type ProcessResult } from '../../harness/client-files.ts';
import { acmeResult, type AcmeClient, type AcmeResult, type AcmeServer, type AcmeTask } from './acme-task.ts';
import { writeHook } from './dns-hook.ts';

const hook = `
case "$1" in
  present) present "_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION" ;;
  clear) clear "_acme-challenge.$CERTBOT_DOMAIN" ;;
esac`;

export class Certbot implements AcmeClient {
  readonly #folder: ClientFolder;
  readonly #program: string;
  readonly #server: AcmeServer;

  private constructor(folder: ClientFolder, program: string, server: AcmeServer) {
    this.#folder = folder;
    this.#program = program;
    this.#server = server;
  }

  static async prepare(t: TestContext, server: AcmeServer) {
    const program = requireClient(t, 'certbot');
    if (program === null || requireClient(t, 'curl') === null) return null;
    return new Certbot(await ClientFolder.make(t), program, server);
  }

  async enroll({ names, challenge, eab }: AcmeTask): Promise<AcmeResult> {
    const account = ['--agree-tos', '--register-unsafely-without-email'];
    const bound = eab === null ? [] : ['--eab-kid', eab.kid, '--eab-hmac-key', eab.hmacKey];
    const words = [...account, ...bound, '--cert-name', 'device'];
    const solver = challenge === 'dns-01' ? await this.#dns() : this.#standalone();
    return this.#result(
      await this.#run('certonly', ...words, ...solver, ...names.flatMap((name) => ['-d', name])),
    );
  }

  async renew(): Promise<AcmeResult> {
    const now = ['--force-renewal', '--no-random-sleep-on-renew'];
    return this.#result(await this.#run('renew', '--cert-name', 'device', ...now));
  }

  async revoke(): Promise<ProcessResult> {
    const reason = ['--reason', 'keycompromise', '--no-delete-after-revoke'];
    return this.#run('revoke', '--cert-name', 'device', ...reason);
  }

  #standalone(): string[] {
    return [
      '--standalone',
      '--http-01-address',
      '127.0.0.1',
      '--http-01-port',
      String(this.#server.httpPort),
    ];
  }

  async #dns(): Promise<string[]> {
    const script = await writeHook(this.#folder, this.#server, hook);
    const hooks = ['--manual-auth-hook', `${script} present`, '--manual-cleanup-hook', `${script} clear`];
    return ['--manual', '--preferred-challenges', 'dns', ...hooks];
  }

  #run(command: string, ...words: string[]): Promise<ProcessResult> {
    const environment = { REQUESTS_CA_BUNDLE: this.#server.trustPem };
    const folders = ['config', 'work', 'logs'].flatMap((name) => [`--${name}-dir`, this.#folder.path(name)]);
    const always = ['--non-interactive', '--server', this.#server.directoryUrl, ...folders];
    return this.#folder.runWith({ environment }, this.#program, command, ...always, ...words);
  }

  #result(result: ProcessResult): AcmeResult {
    return acmeResult(result, this.#folder.path('config/live/device/fullchain.pem'));
  }
}
