import { accessSync, constants } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { DemoAuthority } from './demo-authority.ts';
import type { Device } from './device.ts';
import { must } from './run.ts';
import { say, shown, type Told } from './story.ts';

/** What the demo's devices are made of. */
export function missingPrograms(): string[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return ['curl', 'openssl'].filter(
    (name) => !folders.some((folder) => isExecutable(path.join(folder, name))),
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A device: a folder with a key, openssl to make requests and curl to send them. */
export class EstDevice implements Device {
  readonly #directory: string;
  readonly #authority: DemoAuthority;
  readonly #id: string;

  private constructor(directory: string, id: string, authority: DemoAuthority) {
    this.#directory = directory;
    this.#id = id;
    this.#authority = authority;
  }

  static async make(directory: string, id: string, authority: DemoAuthority): Promise<EstDevice> {
    await mkdir(directory);
    const device = new EstDevice(directory, id, authority);
    await device.#openssl(
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-out',
      'device.key',
    );
    await device.#makeRequest();
    return device;
  }

  async #makeRequest(...more: string[]): Promise<void> {
    const subject = ['-subj', `/CN=${this.#id}`];
    await this.#openssl(
      'req',
      '-new',
      '-key',
      'device.key',
      ...subject,
      ...more,
      '-outform',
      'DER',
      '-out',
      'request.der',
    );
    await this.#openssl('base64', '-in', 'request.der', '-out', 'request.b64');
  }

  enroll(secret: string, what: string, expected: Told['expected']): Promise<Told> {
    shown(`curl --user ${this.#id}:SECRET --data-binary @request.b64 …/simpleenroll`);
    return this.#ask('simpleenroll', ['--user', `${this.#id}:${secret}`], what, expected);
  }

  /** A renewal asks for the names that the certificate has (RFC 7030 section 4.2.2). */
  async renew(what: string, expected: Told['expected']): Promise<Told> {
    const extension = await this.#openssl('x509', '-in', 'device.pem', '-noout', '-ext', 'subjectAltName');
    const names = extension.split('\n')[1]?.trim().replaceAll(', ', ',') ?? '';
    if (names !== '') await this.#makeRequest('-addext', `subjectAltName=${names}`);
    shown('curl --cert device.pem --key device.key --data-binary @request.b64 …/simplereenroll');
    return this.#ask('simplereenroll', ['--cert', 'device.pem', '--key', 'device.key'], what, expected);
  }

  async #ask(
    operation: string,
    credential: readonly string[],
    what: string,
    expected: Told['expected'],
  ): Promise<Told> {
    const status = await must(
      'curl',
      [
        '--silent',
        '--show-error',
        '--cacert',
        this.#authority.trust,
        '--header',
        'Content-Type: application/pkcs10',
        '--data-binary',
        '@request.b64',
        '--output',
        'answer',
        '--write-out',
        '%{http_code}',
        ...credential,
        `${this.#authority.est}/${operation}`,
      ],
      this.#directory,
    );
    if (status === '200') {
      await this.#saveCertificate();
      say(`  HTTP 200, and openssl verifies the certificate`);
    } else {
      say(`  HTTP ${status}: ${(await readFile(path.join(this.#directory, 'answer'), 'utf8')).trim()}`);
    }
    return { what, expected };
  }

  async #saveCertificate(): Promise<void> {
    await this.#openssl('base64', '-d', '-in', 'answer', '-out', 'answer.p7');
    await this.#openssl('pkcs7', '-inform', 'DER', '-in', 'answer.p7', '-print_certs', '-out', 'device.pem');
    await this.#openssl(
      'verify',
      '-x509_strict',
      '-purpose',
      'sslclient',
      '-CAfile',
      this.#authority.trust,
      'device.pem',
    );
  }

  async #openssl(...words: string[]): Promise<string> {
    return must('openssl', words, this.#directory);
  }
}
