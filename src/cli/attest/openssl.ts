import { spawn } from 'node:child_process';
import { isIP } from 'node:net';
import { Duplex } from 'node:stream';
import type { Environment } from '#config';

/** Files, PEM each. */
export interface OpensslIdentity {
  readonly trust: string;
  readonly certificate: string;
  /** TSS2 PRIVATE KEY. */
  readonly key: string;
}

/** A connection of TLS by openssl, which signs with a key in the TPM by the provider tpm2-openssl: TLS of Node.js cannot. */
export function opensslConnection(
  { hostname, port }: URL,
  { trust, certificate, key }: OpensslIdentity,
  environment: Environment,
): Duplex {
  const host = hostname.replace(/^\[|\]$/g, '');
  const name = isIP(host) === 0 ? `-servername ${host} -verify_hostname ${host}` : `-verify_ip ${host}`;
  const words = [
    's_client -quiet -provider tpm2 -provider default -propquery ?provider=tpm2',
    `-connect ${hostname}:${port === '' ? '443' : port} ${name}`,
    '-no-CApath -no-CAstore -verify_return_error',
  ].flatMap((line) => line.split(' '));
  const files = ['-CAfile', trust, '-cert', certificate, '-key', key];
  const child = spawn('openssl', [...words, ...files], {
    env: { TPM2OPENSSL_TCTI: environment['TPM2TOOLS_TCTI'], ...environment },
    stdio: 'pipe',
  });
  const connection = new Duplex({
    read: () => void child.stdout.resume(),
    // Where it has ended, that it has is what there is to say.
    write: (part, _, done) => void child.stdin.write(part, () => done()),
    final: (done) => void child.stdin.end(() => done()),
  });
  child.stdin.on('error', () => {});
  child.stdout.on('data', (part: Buffer) => {
    if (!connection.push(part)) child.stdout.pause();
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
  child.once('error', (cause) => connection.destroy(new Error('openssl cannot be run', { cause })));
  child.once('close', (code) => {
    if (code === 0) connection.push(null);
    else connection.destroy(new Error(wordsOf(said)));
  });
  connection.once('close', () => child.kill());
  return connection;
}

function wordsOf(said: string): string {
  if (said.includes('could not load the shared library')) {
    return 'openssl finds no provider tpm2; install tpm2-openssl';
  }
  return `openssl: ${said.trim().split('\n').at(-1)!}`;
}
