import { mkdir, writeFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { requireClient } from '../../clients.ts';
import { ClientFolder, type ProcessResult } from '../../harness/client-files.ts';
import { acmeResult, type AcmeClient, type AcmeResult, type AcmeServer, type AcmeTask } from './acme-task.ts';
import { writeHook } from './dns-hook.ts';
import { WebFolder } from './web-folder.ts';

const hook = `
case "$1" in
  deploy_challenge) present "_acme-challenge.$2" "$4" ;;
  clean_challenge) clear "_acme-challenge.$2" ;;
esac`;

/** A script around curl and OpenSSL. */
export class Dehydrated implements AcmeClient {
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
    const program = requireClient(t, 'dehydrated');
    if (program === null || requireClient(t, 'curl') === null) return null;
    const folder = await ClientFolder.make(t);
    const web = await WebFolder.open(t, folder, server.httpPort);
    return new Dehydrated(folder, program, server, web);
  }

  async enroll(task: AcmeTask): Promise<AcmeResult> {
    await this.#configure(task);
    const registered = await this.#run('--register', '--accept-terms');
    return registered.code === 0 ? this.#get(task) : { ...registered, certificate: null };
  }

  renew(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, '--force');
  }

  async revoke(): Promise<ProcessResult> {
    return this.#run('--revoke', this.#folder.path('certs/device/cert.pem'));
  }

  async #get({ names, challenge }: AcmeTask, ...more: string[]): Promise<AcmeResult> {
    const words = [
      '--cron',
      '--domain',
      names.join(' '),
      '--alias',
      'device',
      '--challenge',
      challenge,
      ...more,
    ];
    const hooks = challenge === 'dns-01' ? ['--hook', await writeHook(this.#folder, this.#server, hook)] : [];
    return acmeResult(await this.#run(...words, ...hooks), this.#folder.path('certs/device/fullchain.pem'));
  }

  async #configure({ eab }: AcmeTask): Promise<void> {
    const { directoryUrl, trustPem } = this.#server;
    await mkdir(this.#folder.path('conf.d'), { recursive: true });
    const settings = {
      CA: directoryUrl,
      BASEDIR: this.#folder.directory,
      WELLKNOWN: this.#web.directory,
      DOMAINS_TXT: this.#folder.path('domains.txt'),
      CURL_OPTS: `--cacert ${trustPem} --max-time 20`,
      // The other kind of account key that it knows, so that both are tried: by itself it makes one of RSA with 4096 bits.
      ...(eab === null ? {} : { EAB_KID: eab.kid, EAB_HMAC_KEY: eab.hmacKey, ACCOUNT_KEY_ALGO: 'secp384r1' }),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
    await writeFile(this.#folder.path('config'), lines.join(''));
  }

  #run(...words: string[]): Promise<ProcessResult> {
    return this.#folder.run(this.#program, '--config', this.#folder.path('config'), ...words);
  }
}
