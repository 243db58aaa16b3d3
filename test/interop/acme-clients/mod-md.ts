import { execFile } from 'node:child_process';
import { chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { TestContext } from 'node:test';
import { requireClient } from '../../clients.ts';
import { ClientFolder } from '../../harness/client-files.ts';
import { runDaemon } from '../../harness/daemon.ts';
import {
  type AcmeClient,
  type AcmeResult,
  type AcmeServer,
  type AcmeTask,
  daemonResult,
  newCertificates,
} from './acme-task.ts';

const run = promisify(execFile);
const modules = '/usr/lib/apache2/modules';

/** Where it does not decide itself. */
export interface ModMdSettings {
  /** Of the server's directory (draft-ietf-acme-profiles). */
  readonly profile?: string;
  /** RFC 9773: it asks the server when to renew, and says what it replaces. */
  readonly renewViaAri?: boolean;
}

/** Apache's module. No command of it revokes. */
export class ModMd implements AcmeClient {
  readonly #t: TestContext;
  readonly #folder: ClientFolder;
  readonly #program: string;
  readonly #server: AcmeServer;
  readonly #settings: ModMdSettings;

  private constructor(
    t: TestContext,
    folder: ClientFolder,
    program: string,
    server: AcmeServer,
    settings: ModMdSettings,
  ) {
    this.#t = t;
    this.#folder = folder;
    this.#program = program;
    this.#server = server;
    this.#settings = settings;
  }

  static async prepare(t: TestContext, server: AcmeServer, settings: ModMdSettings = {}) {
    const program = requireClient(t, 'apache2');
    if (program === null) return null;
    const folder = await ClientFolder.make(t);
    await mkdir(folder.path('web'));
    // Where root starts it, it works as somebody else, who reads nothing of root's.
    await copyFile(server.trustPem, folder.path('root.pem'));
    await giveAway(folder);
    return new ModMd(t, folder, program, server, settings);
  }

  enroll(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, []);
  }

  /** Started again, which puts what it got in its place, to find that its time to renew has come. */
  renew(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, ['MDRenewMode always', 'MDRenewWindow 36500d']);
  }

  async #get(task: AcmeTask, more: readonly string[]): Promise<AcmeResult> {
    await writeFile(this.#folder.path('httpd.conf'), this.#configuration(task, more));
    const got = newCertificates(this.#folder, ['md/staging/*/pubcert*.pem']);
    const daemon = runDaemon(this.#t, this.#program, [
      '-d',
      this.#folder.directory,
      '-f',
      this.#folder.path('httpd.conf'),
      '-DFOREGROUND',
    ]);
    const result = await daemonResult(daemon, got);
    return { ...result, stderr: result.stderr + (await this.#folder.read('log').catch(() => '')) };
  }

  #configuration({ names, challenge, eab }: AcmeTask, more: readonly string[]): string {
    const { directoryUrl, httpPort, tlsPort } = this.#server;
    const { profile, renewViaAri } = this.#settings;
    const load = ['mpm_event', 'authz_core', 'socache_shmcb', 'ssl', 'md'];
    const host = (port: number, tls: readonly string[]) => [
      `<VirtualHost 127.0.0.1:${port}>`,
      `  ServerName ${names[0]!}`,
      ...(names.length > 1 ? [`  ServerAlias ${names.slice(1).join(' ')}`] : []),
      ...tls,
      '</VirtualHost>',
    ];
    const lines = [
      ...load.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
      ...(process.getuid!() === 0 ? ['User www-data', 'Group www-data'] : []),
      'ServerName localhost',
      `DefaultRuntimeDir ${this.#folder.directory}`,
      `PidFile ${this.#folder.path('pid')}`,
      `ErrorLog ${this.#folder.path('log')}`,
      'LogLevel warn md:trace1',
      'SSLSessionCache none',
      `DocumentRoot ${this.#folder.path('web')}`,
      `Listen 127.0.0.1:${httpPort}`,
      `Listen 127.0.0.1:${tlsPort}`,
      'Protocols http/1.1 acme-tls/1',
      `MDStoreDir ${this.#folder.path('md')}`,
      `MDCertificateAuthority ${directoryUrl}`,
      `MDCACertificateFile ${this.#folder.path('root.pem')}`,
      'MDCertificateAgreement accepted',
      'MDContactEmail operator@example.test',
      `MDCAChallenges ${challenge}`,
      `MDPortMap http:${httpPort} https:${tlsPort}`,
      'MDPrivateKeys P-256',
      // It would wait for a random time, and ask again after half a minute where something failed.
      'MDInitialDelay 0',
      'MDRetryDelay 5s',
      ...(eab === null ? [] : [`MDExternalAccountBinding ${eab.kid} ${eab.hmacKey}`]),
      ...(profile === undefined ? [] : [`MDProfile ${profile}`, 'MDProfileMandatory on']),
      ...(renewViaAri === undefined ? [] : [`MDRenewViaARI ${renewViaAri ? 'on' : 'off'}`]),
      ...more,
      `MDomain ${names.join(' ')}`,
      ...host(httpPort, []),
      ...host(tlsPort, ['  SSLEngine on']),
    ];
    return `${lines.join('\n')}\n`;
  }
}

async function giveAway(folder: ClientFolder): Promise<void> {
  if (process.getuid!() !== 0) return;
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (what) => Number((await run('id', [what, 'www-data'])).stdout)),
  );
  await chown(folder.directory, uid!, gid!);
}
