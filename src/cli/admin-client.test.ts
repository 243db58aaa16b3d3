import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { AdminClient } from './admin-client.ts';

test('each call has a connection of its own, so that none is asked on one that was closed meanwhile', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-socket-'));
  t.after(() => rm(folder, { recursive: true }));
  const socket = path.join(folder, 'admin.sock');
  let connections = 0;
  const server = createServer((_request, response) => response.end('{"items":[]}'));
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  const client = new AdminClient({ socket, token: 'token' });
  await client.perform('listDevices', {});
  await client.perform('listDevices', {});
  assert.equal(connections, 2);
});
