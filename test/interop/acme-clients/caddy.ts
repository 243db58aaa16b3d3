import { writeFile } from 'node:fs/promises';
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

/**
 * A web server that gets its certificates itself, one for each name, here in a configuration of its JSON. The certificate of a result is that of the
 * first name. No command of it revokes.
 */
export class Caddy implements AcmeClient {
  readonly #t: TestContext;
  readonly #folder: ClientFolder;
  readonly #program: string;
  readonly #server: AcmeServer;

  private constructor(t: TestContext, folder: ClientFolder, program: string, server: AcmeServer) {
    this.#t = t;
    this.#folder = folder;
    this.#program = program;
    this.#server = server;
  }

  static async prepare(t: TestContext, server: AcmeServer) {
    const program = requireClient(t, 'caddy');
    return program === null ? null : new Caddy(t, await ClientFolder.make(t), program, server);
  }

  enroll(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, {});
  }

  /** Started again, when it finds that most of the time of what it has is over. */
  renew(task: AcmeTask): Promise<AcmeResult> {
    return this.#get(task, { renewal_window_ratio: 1 });
  }

  async #get(task: AcmeTask, policy: object): Promise<AcmeResult> {
    await writeFile(this.#folder.path('caddy.json'), JSON.stringify(this.#configuration(task, policy)));
    const files = task.names.map((name) => `storage/certificates/*/${name}/${name}.crt`);
    const got = newCertificates(this.#folder, files);
    const daemon = runDaemon(this.#t, this.#program, ['run', '--config', this.#folder.path('caddy.json')], {
      environment: { HOME: this.#folder.directory, XDG_DATA_HOME: this.#folder.path('storage') },
    });
    return daemonResult(daemon, got);
  }

  #configuration({ names, challenge, eab }: AcmeTask, policy: object): object {
    const { directoryUrl, trustPem, httpPort, tlsPort } = this.#server;
    const issuer = {
      module: 'acme',
      ca: directoryUrl,
      email: 'operator@example.test',
      trusted_roots_pem_files: [trustPem],
      challenges: {
        bind_host: '127.0.0.1',
        http: { disabled: challenge !== 'http-01' },
        'tls-alpn': { disabled: challenge !== 'tls-alpn-01' },
      },
      ...(eab === null ? {} : { external_account: { key_id: eab.kid, mac_key: eab.hmacKey } }),
    };
    const policies = [{ subjects: names, issuers: [issuer], ...policy }];
    const server = {
      listen: [`127.0.0.1:${tlsPort}`],
      routes: [{ match: [{ host: names }] }],
      automatic_https: { disable_redirects: true },
    };
    return {
      admin: { disabled: true },
      storage: { module: 'file_system', root: this.#folder.path('storage') },
      apps: {
        http: { http_port: httpPort, https_port: tlsPort, servers: { device: server } },
        tls: { automation: { policies } },
      },
    };
  }
}
