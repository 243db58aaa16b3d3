import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { AuthorityFiles } from '../test/harness/authority.ts';
import { est } from '../test/harness/est-client.ts';
import { askHttp } from '../test/harness/http.ts';
import { cpuMillisecondsOf } from './process-cpu.ts';
import { inParallel } from './workers.ts';

const warmUp = 300;
const measured = 1500;

/**
 * CPU milliseconds that Node's own TLS and HTTP take for one exchange of an enrollment's size on a connection of its
 * own: the listener of the product with nothing behind it. What remains above it is ours.
 */
export async function measureTransport(
  files: AuthorityFiles,
  request: { readonly body: string; readonly trust: string; readonly workers: number },
): Promise<number> {
  return overBareServer(keyed(files), request.workers, async (port) => {
    const { status } = await est({ ...request, url: `https://127.0.0.1:${port}/` });
    return status;
  });
}

/** The same for one request of many on a connection that stays. `ask` opens one. */
export async function measureKeptTransport(
  files: AuthorityFiles,
  {
    workers,
    open,
  }: { workers: number; open: (url: string) => { ask: () => Promise<number>; close: () => void } },
): Promise<number> {
  const connections: ReturnType<typeof open>[] = [];
  try {
    return await overBareServer(keyed(files), workers, async (port) => {
      const connection = connections.pop() ?? open(`https://localhost:${port}/`);
      const status = await connection.ask();
      connections.push(connection);
      return status;
    });
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** The same over plain HTTP. */
export async function measureHttpTransport(request: {
  readonly body: Uint8Array;
  readonly workers: number;
}): Promise<number> {
  return overBareServer([], request.workers, async (port) => {
    const { status } = await askHttp(`http://127.0.0.1:${port}/`, { method: 'POST', body: request.body });
    return status;
  });
}

/** The listener's certificate and key. */
function keyed({ directory }: AuthorityFiles): string[] {
  return ['pki/listener.pem', 'keys/listener.key.pem', 'secrets/passphrase'].map((name) =>
    path.join(directory, name),
  );
}

async function overBareServer(
  words: readonly string[],
  workers: number,
  ask: (port: string) => Promise<number>,
): Promise<number> {
  const server = spawn(process.execPath, [path.join(import.meta.dirname, 'bare-server.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const port = await firstLine(server.stdout);
    const exchange = async () => {
      const status = await ask(port);
      if (status !== 200) throw new Error(`the bare server answered ${status}`);
    };
    await inParallel(Array.from({ length: warmUp }), workers, exchange);
    const before = cpuMillisecondsOf(server.pid!);
    await inParallel(Array.from({ length: measured }), workers, exchange);
    return (cpuMillisecondsOf(server.pid!) - before) / measured;
  } finally {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
}

async function firstLine(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) return line;
  throw new Error('the bare server did not start');
}
