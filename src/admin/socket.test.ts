import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request, type RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import { startAdminSocket } from './socket.ts';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-socket-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const handler: RequestListener = (_request, response) => void response.end('here');
const start = (socket: string) => startAdminSocket({ socket, handler, report: ({ id }) => assert.fail(id) });

function ask(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

test('only its owner can reach it: the socket is 0600 in a folder 0700', async (t) => {
  const socket = join(await temporaryFolder(t), 'run', 'admin.sock');
  const running = await start(socket);
  assert.equal((await stat(socket)).mode & 0o777, 0o600);
  assert.equal((await stat(join(socket, '..'))).mode & 0o777, 0o700);
  assert.equal(await ask(socket), 200);
  await running.close();
  await assert.rejects(stat(socket));
});

test('a folder that others can enter is refused', async (t) => {
  const folder = await temporaryFolder(t);
  await chmod(folder, 0o750);
  await assert.rejects(start(join(folder, 'admin.sock')), (error) => isSallyportError(error, 'config'));
});

test('a stale socket is replaced; one that answers is left alone', async (t) => {
  const folder = await temporaryFolder(t);
  const socket = join(folder, 'admin.sock');
  await leaveStaleSocket(socket);
  const running = await start(socket);
  t.after(() => running.close());
  await assert.rejects(start(socket), (error) => isSallyportError(error, 'conflict'));
  assert.equal(await ask(socket), 200);
});

test('a file that is no socket is not removed', async (t) => {
  const socket = join(await temporaryFolder(t), 'admin.sock');
  await writeFile(socket, 'precious');
  await assert.rejects(start(socket), (error) => isSallyportError(error, 'config'));
  assert.equal((await stat(socket)).size, 8);
});

test('a path that no socket can have is refused, not cut', async (t) => {
  const socket = join(await temporaryFolder(t), 'x'.repeat(100), 'admin.sock');
  await assert.rejects(start(socket), (error) => isSallyportError(error, 'config'));
});

/** As a process leaves it that was killed: renaming hides the socket from the close that would unlink it. */
async function leaveStaleSocket(socket: string): Promise<void> {
  const { rename } = await import('node:fs/promises');
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(`${socket}.old`, resolve);
  });
  await rename(`${socket}.old`, socket);
  await new Promise((resolve) => {
    server.close(resolve);
  });
}
