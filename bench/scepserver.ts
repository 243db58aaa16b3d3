import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseCertificate } from '#x509';
import { findProgram } from '../test/clients.ts';
import { csrFor } from '../test/harness/csr.ts';
import { askHttp } from '../test/harness/http.ts';
import { pkiStatusOf, ScepClient } from '../test/harness/scep-client.ts';
import { percentile, rounded } from './percentile.ts';
import { cpuMillisecondsOf } from './process-cpu.ts';
import { rsaKey } from './rsa-key.ts';
import { inParallel } from './workers.ts';

const run = promisify(execFile);
const challenge = 'one-challenge-for-all';

/**
 * The same enrollments by micromdm's scepserver (Debian package scep), which has one CA key of 2048 bits for everything, a static challenge, files for a
 * store, and no log. One after the other: of several at once it refuses some. null: it is not installed.
 */
export async function measureScepserver(enrollments: number) {
  const program = findProgram('scepserver');
  if (program === null) return null;
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-scepserver-'));
  const depot = path.join(folder, 'depot');
  await run(program, ['ca', '-init', '-depot', depot, '-keySize', '2048']);
  const port = await freePort();
  const options = ['-depot', depot, '-port', String(port), '-challenge', challenge, '-allowrenew', '0'];
  const server = spawn(program, options, { stdio: 'ignore', cwd: folder });
  try {
    const url = `http://127.0.0.1:${port}/scep`;
    const client = ScepClient.to(url, [parseCertificate(await caOf(url))]);
    const warmUp = 20;
    const messages: Uint8Array[] = [];
    await inParallel(Array.from({ length: enrollments + warmUp }).keys(), 8, async (n) => {
      const key = await rsaKey();
      const content = csrFor(`peer-${n}`, key, { challengePassword: challenge });
      messages.push((await client.build({ content, key })).body);
    });
    const latencies: number[] = [];
    const ask = async (body: Uint8Array) => {
      const began = performance.now();
      const answer = await askHttp(`${url}?operation=PKIOperation`, { method: 'POST', body });
      if (pkiStatusOf(answer) !== 'success') throw new Error(`scepserver: ${answer.status} ${answer.text}`);
      latencies.push(performance.now() - began);
    };
    for (const message of messages.splice(0, warmUp)) await ask(message);
    latencies.length = 0;
    const [cpu, started] = [cpuMillisecondsOf(server.pid!), performance.now()];
    for (const message of messages) await ask(message);
    const sorted = latencies.toSorted((a, b) => a - b);
    return {
      name: 'scepserver',
      enrollments,
      rate: rounded(enrollments / ((performance.now() - started) / 1000), 1),
      p50: rounded(percentile(sorted, 0.5), 2),
      p99: rounded(percentile(sorted, 0.99), 2),
      cpuMilliseconds: rounded((cpuMillisecondsOf(server.pid!) - cpu) / enrollments, 3),
    };
  } finally {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    await rm(folder, { recursive: true });
  }
}

/** Until it listens. */
async function caOf(url: string): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { body } = await askHttp(`${url}?operation=GetCACert`);
      return new Uint8Array(body);
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
