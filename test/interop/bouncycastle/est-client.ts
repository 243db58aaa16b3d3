import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Cleanup } from '../../harness/authority.ts';
import type { ClientFolder } from '../../harness/client-files.ts';
import { JavaDriver } from '../java-driver.ts';

const source = path.join(import.meta.dirname, 'EstClient.java');

/** What the driver said on its standard output; the words are in EstClient.java. */
export interface EstClientResult {
  /** 0: answered, 3: still pending, 1: an error. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly tlsVersion: string | null;
  /** When BouncyCastle would ask again, once for every 202. */
  readonly pendingUntil: readonly Date[];
  readonly certificates: readonly X509Certificate[];
  /** PKCS #8 in PEM, of a server-side key generation. */
  readonly privateKey: string | null;
  /** Status 0: BouncyCastle itself gave up. */
  readonly error: { readonly status: number; readonly body: string; readonly message: string } | null;
}

/** BouncyCastle's EST client by way of EstClient.java. */
export class BouncyCastleClient {
  readonly #driver: JavaDriver;

  constructor(cleanup: Cleanup) {
    this.#driver = new JavaDriver(cleanup, source, 'bouncycastle');
  }

  /** A folder and the command line in it, or null once the test is marked as skipped. */
  async prepare(t: Pick<TestContext, 'skip'> & Cleanup): Promise<{
    readonly folder: ClientFolder;
    readonly run: (...words: string[]) => Promise<EstClientResult>;
  } | null> {
    const prepared = await this.#driver.prepare(t);
    if (prepared === null) return null;
    const run = async (...words: string[]) => {
      const { code, stdout, stderr } = await prepared.run(...words);
      return resultOf(code, stdout.toString(), stderr);
    };
    return { ...prepared, run };
  }
}

function resultOf(code: number, stdout: string, stderr: string): EstClientResult {
  const [, status, body, message] = /^error status (\d+) body (".*") message (".*")$/m.exec(stdout) ?? [];
  return {
    code,
    stdout,
    stderr,
    tlsVersion: /^tls (\S+)/m.exec(stdout)?.[1] ?? null,
    pendingUntil: [...stdout.matchAll(/^pending until (\S+)$/gm)].map(([, time]) => new Date(time!)),
    certificates: pemOf('CERTIFICATE', stdout).map((pem) => new X509Certificate(pem)),
    privateKey: pemOf('PRIVATE KEY', stdout)[0] ?? null,
    error:
      status === undefined
        ? null
        : { status: Number(status), body: JSON.parse(body!), message: JSON.parse(message!) },
  };
}

function pemOf(label: string, text: string): string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];
}
