import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { derToPem } from '#x509';
import { findProgram } from '../../test/clients.ts';
import type { Cleanup } from '../../test/harness/authority.ts';
import { freePort } from '../../test/harness/free-port.ts';
import { askHttp } from '../../test/harness/http.ts';
import { TestCa } from '../../test/harness/pki.ts';
import { Generator } from './load.ts';

/** Another server, running. */
export interface Peer {
  readonly name: string;
  readonly pid: number;
  readonly directoryUrl: string;
  readonly ca: string;
  /** See Target. */
  readonly names: string;
  readonly generator: Generator;
}

/**
 * caddy's acme_server, which is smallstep's: a database of files, synced. It looks for proofs at port 80 and has the system's resolver, so that its name is
 * always `localhost`; it proves each order anew all the same. null: not installed, or port 80 is not to be had.
 */
export async function startCaddy(cleanup: Cleanup): Promise<Peer | null> {
  const program = findProgram('caddy');
  if (program === null) return null;
  const generator = await Generator.start(cleanup, 80).catch(() => null);
  if (generator === null) return null;
  const folder = await temporaryFolder(cleanup);
  const port = await freePort();
  const configuration = path.join(folder, 'Caddyfile');
  await writeFile(
    configuration,
    `{
  admin off
  auto_https disable_redirects
  skip_install_trust
}
https://localhost:${port} {
  tls internal
  acme_server
}
`,
  );
  const words = ['run', '--config', configuration, '--adapter', 'caddyfile'];
  const pid = await startServer(cleanup, program, words, { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder });
  const root = path.join(folder, 'caddy/pki/authorities/local/root.crt');
  const ca = await until(async () => {
    const pem = await readFile(root, 'utf8');
    await askHttp(`https://localhost:${port}/acme/local/directory`, { tls: { ca: pem } });
    return pem;
  });
  const directoryUrl = `https://localhost:${port}/acme/local/directory`;
  return { name: 'caddy acme_server', pid, directoryUrl, ca, names: 'localhost', generator };
}

/** Let's Encrypt's test server: all in memory, nothing synced, no log. Without its pauses and its refused nonces. */
export async function startPebble(cleanup: Cleanup): Promise<Peer | null> {
  const program = findProgram('pebble');
  if (program === null) return null;
  const generator = await Generator.start(cleanup);
  const folder = await temporaryFolder(cleanup);
  const [port, management] = [await freePort(), await freePort()];
  const root = TestCa.root('Bench');
  const server = root.endEntity({
    subject: [{ type: 'commonName', value: 'localhost' }],
    subjectAltName: [{ kind: 'dns', value: 'localhost' }],
    extendedKeyUsage: ['serverAuth'],
  });
  const file = (name: string) => path.join(folder, name);
  await writeFile(file('cert.pem'), server.pem);
  const key = server.key.privateKey.export({ type: 'pkcs8', format: 'der' });
  await writeFile(file('key.pem'), derToPem(key, 'PRIVATE KEY'));
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: file('cert.pem'),
    privateKey: file('key.pem'),
    httpPort: generator.httpPort,
    tlsPort: 9,
  };
  await writeFile(file('pebble.json'), JSON.stringify({ pebble }));
  const words = ['-config', file('pebble.json'), '-dnsserver', generator.resolver];
  const pid = await startServer(cleanup, program, words, {
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: '0',
    PEBBLE_AUTHZREUSE: '0',
  });
  const directoryUrl = `https://localhost:${port}/dir`;
  await until(() => askHttp(directoryUrl, { tls: { ca: root.pem } }));
  return { name: 'pebble', pid, directoryUrl, ca: root.pem, names: '.bench.test', generator };
}

async function temporaryFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-peer-'));
  cleanup.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function startServer(
  cleanup: Cleanup,
  program: string,
  words: readonly string[],
  environment: Record<string, string>,
): Promise<number> {
  const server = spawn(program, words, { stdio: 'ignore', env: { ...process.env, ...environment } });
  await once(server, 'spawn');
  cleanup.after(async () => {
    const ended = once(server, 'exit');
    // Not asked: who hangs would not hear it.
    if (server.exitCode === null && server.kill('SIGKILL')) await ended;
  });
  return server.pid!;
}

async function until<T>(ready: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ready();
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
