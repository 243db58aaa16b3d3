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
  // @types/node knows this form with streams of the web alone.
  const streams: unknown = { readable: child.stdout, writable: child.stdin };
  const connection = Duplex.from(streams as AsyncIterable<Buffer>);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
  child.once('error', (error) => connection.destroy(error));
  child.once('close', (code) => {
    if (code !== 0) connection.destroy(new Error(`openssl with provider tpm2: ${lastLine(said)}`));
  });
  connection.once('close', () => child.kill());
  return connection;
}

function lastLine(said: string): string {
  return said.trim().split('\n').at(-1)!;
}
