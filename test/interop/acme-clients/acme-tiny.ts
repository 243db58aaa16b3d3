import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { requireClient } from '../../clients.ts';
import { AcmeClient as OtherClient, type Json } from '../../harness/acme-client.ts';
import { ClientFolder } from '../../harness/client-files.ts';
import {
  acmeResult,
  type AcmeClient,
  type AcmeResult,
  type AcmeServer,
  type AcmeTask,
  type ExternalAccount,
} from './acme-task.ts';
import { WebFolder } from './web-folder.ts';

interface Programs {
  readonly acmeTiny: string;
  readonly openssl: string;
}

/** http-01 alone; it knows neither external accounts nor revocation, and takes an account that another client made for its key. Key and request are made by OpenSSL, as its manual has it. */
export class AcmeTiny implements AcmeClient {
  readonly #folder: ClientFolder;
  readonly #programs: Programs;
  readonly #server: AcmeServer;
  readonly #web: WebFolder;

  private constructor(folder: ClientFolder, programs: Programs, server: AcmeServer, web: WebFolder) {
    this.#folder = folder;
    this.#programs = programs;
    this.#server = server;
    this.#web = web;
  }

  static async prepare(t: TestContext, server: AcmeServer) {
    const acmeTiny = requireClient(t, 'acme-tiny');
    const openssl = requireClient(t, 'openssl');
    if (acmeTiny === null || openssl === null) return null;
    const folder = await ClientFolder.make(t);
    await folder.must(openssl, 'genrsa', '-out', 'account.key', '2048');
    const web = await WebFolder.open(t, folder, server.httpPort);
    return new AcmeTiny(folder, { acmeTiny, openssl }, server, web);
  }

  async enroll({ names, eab }: AcmeTask): Promise<AcmeResult> {
    if (eab !== null) await this.#bind(eab);
    const subject = ['-subj', `/CN=${names[0]!}`];
    const more = ['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`];
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'device.key'];
    await this.#folder.must(
      this.#programs.openssl,
      'req',
      '-new',
      ...key,
      ...subject,
      ...more,
      '-out',
      'device.csr',
    );
    return this.#get();
  }

  renew(): Promise<AcmeResult> {
    return this.#get();
  }

  async #bind({ kid, hmacKey }: ExternalAccount): Promise<void> {
    const privateKey = createPrivateKey(await this.#folder.read('account.key'));
    const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as Json;
    const trust = await readFile(this.#server.trustPem, 'utf8');
    const client = await OtherClient.at(this.#server.directoryUrl, trust, { alg: 'RS256', privateKey, jwk });
    const { status, text } = await client.register({ keyId: kid, hmacKey });
    client.close();
    assert.equal(status, 201, text);
  }

  async #get(): Promise<AcmeResult> {
    const { directoryUrl, trustPem } = this.#server;
    const files = ['--account-key', 'account.key', '--csr', 'device.csr', '--acme-dir', this.#web.directory];
    const server = ['--directory-url', directoryUrl, '--disable-check'];
    const environment = { SSL_CERT_FILE: trustPem };
    const result = await this.#folder.runWith({ environment }, this.#programs.acmeTiny, ...files, ...server);
    const file = this.#folder.path('device.pem');
    if (result.code === 0) await writeFile(file, result.stdout);
    return acmeResult(result, file);
  }
}
