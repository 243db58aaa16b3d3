import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { get, request, type IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import { loadConfiguration } from '#config';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { publicDocument } from '../harness/public-document.ts';
import { type Head, includes, pathOf, readCheckpoint, TileReader } from '../harness/tile-reader.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** C2SP tlog-tiles, as an auditor reads it over the admin socket. */
describe('the tiled log', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let socketPath: string;
  let token: string;
  let verifierKey: string;
  let head: Head;

  const ask = (target: string, { method = 'GET', headers = {} } = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const authorization = `Bearer ${token}`;
      const call = request(
        { socketPath, path: target, method, agent: false, headers: { authorization, ...headers } },
        (response) => {
          response.toArray().then((parts: Buffer[]) => {
            const { statusCode: status = 0, headers } = response;
            resolve({ status, headers, body: Buffer.concat(parts) });
          }, reject);
        },
      );
      call.once('error', reject);
      call.end();
    });
  const fetch = async (name: string) => {
    const { status, body } = await ask(`/log/${name}`);
    assert.ok(status === 200 || status === 404, `${name}: ${status}`);
    return status === 200 ? body : null;
  };

  before(async () => {
    authority = await authorityInProcess(cleanup);
    const { listeners } = loadConfiguration(authority.configuration, process.env);
    socketPath = listeners.find((listener) => listener.class === 'admin')!.socket;
    token = (await readFile(path.join(authority.directory, 'operators/admin.token'), 'utf8')).trim();
    const { client } = authority.admin;
    verifierKey = (
      (await client.perform('showEntry', { id: '0' })).entry['detail'] as unknown as { log: string }
    ).log;
    // One entry each, until there is a full tile and a partial one beside it.
    const imports = Array.from({ length: 300 }, (_, at) =>
      client.perform('importDevices', { format: 'json', list: `[{"id":"d-${at}","class":"laptop"}]` }),
    );
    const { size } = (await Promise.all(imports), await client.perform('listEntries', { limit: 1 }));
    for (let tries = 0; tries < 200; tries += 1) {
      head = readCheckpoint(String(await fetch('checkpoint')), verifierKey);
      if (head.size >= size) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('no checkpoint came');
  });

  test('a reader that knows the specification alone computes the root, and proves every entry against it', async () => {
    const reader = new TileReader(fetch, head.size);
    const entries = await reader.entries();
    assert.equal(entries.length, head.size);
    assert.deepEqual(await reader.root(), head.root);
    for (const index of [0, 1, 255, 256, head.size - 1]) {
      const leaf = await reader.node(0, index);
      const proof = await reader.path(index);
      assert.ok(includes(head.root, head.size, index, leaf, proof), `entry ${index}`);
      assert.ok(!includes(head.root, head.size, index - 1, leaf, proof));
      assert.ok(!includes(head.root, head.size, index, leaf, proof.slice(1)));
    }
    assert.equal((JSON.parse(String(entries[0])) as { event: string }).event, 'created');
  });

  describe('Checkpoints', () => {
    test('are served as text that is not to be cached, the same as on the public listener', async () => {
      const { status, headers, body } = await ask('/log/checkpoint');
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal(headers['cache-control'], 'no-store');
      assert.deepEqual(body, (await publicDocument(authority, '/log/checkpoint')).body);
    });
  });

  describe('Merkle Tree', () => {
    test('a full tile is 256 hashes, octets that never change and that the reader alone may keep', async () => {
      for (const at of ['/log/tile/0/000', '/log/tile/entries/000']) {
        const { status, headers, body } = await ask(at);
        assert.equal(status, 200, at);
        assert.equal(headers['content-type'], 'application/octet-stream');
        assert.equal(headers['content-length'], String(body.length));
        assert.equal(headers['cache-control'], 'private, max-age=31536000, immutable');
      }
      assert.equal((await ask('/log/tile/0/000')).body.length, 8192);
    });

    test('a hash of level 1 is the root over the full tile below it', async () => {
      const below = new TileReader(fetch, 256);
      assert.deepEqual(await fetch('tile/1/000.p/1'), await below.root());
    });

    test('HEAD says what GET would say, without the tile', async () => {
      const [got, asked] = [await ask('/log/tile/0/000'), await ask('/log/tile/0/000', { method: 'HEAD' })];
      assert.deepEqual([asked.status, asked.body.length], [200, 0]);
      for (const name of ['content-type', 'content-length', 'cache-control'] as const) {
        assert.equal(asked.headers[name], got.headers[name]);
      }
    });

    test('other methods are refused: the log is only read', async () => {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const { status, headers } = await ask('/log/tile/0/000', { method });
        assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method);
      }
    });

    test('a tile has one path, and nothing is at any other', async () => {
      for (const at of [
        'tile/0/0',
        'tile/0/x000/000',
        'tile/00/000',
        'tile/64/000',
        'tile/-1/000',
        'tile/0/000.p/256',
        'tile/0/000.p/0',
        'tile/0/000.p/01',
        'tile/0/000/',
        'tile/0/000?',
        'tile/0/000?width=1',
        'tile/0/%30%30%30',
        'tile/0/../0/000',
        './tile/0/000',
        'tile//0/000',
        'tile/data/000',
        'TILE/0/000',
        'tile',
        '',
        'checkpoint/',
        'Checkpoint',
      ]) {
        const { status, headers } = await ask(`/log/${at}`);
        assert.deepEqual([status, headers['content-type']], [404, 'application/problem+json'], at);
      }
      assert.equal((await ask('/tile/0/000')).status, 404);
    });
  });

  describe('Partial Tiles', () => {
    test('are served in the width of the checkpoint, and of every size before it', async () => {
      const rest = head.size % 256;
      assert.ok(head.size > 256 && rest > 10);
      for (const width of [1, 10, rest]) {
        const tile = await fetch(pathOf(0, 1, width));
        assert.equal(tile?.length, width * 32);
      }
      const before = new TileReader(fetch, 256 + 10);
      assert.equal((await before.entries()).length, 266);
    });

    test('beside a full tile a narrower one is still there, for the checkpoints that named it', async () => {
      assert.deepEqual(await fetch('tile/0/000.p/7'), (await fetch('tile/0/000'))?.subarray(0, 7 * 32));
    });

    test('wider than the log, empty or beyond it there is none', async () => {
      const rest = head.size % 256;
      for (const at of [
        pathOf(0, 1, rest + 1),
        pathOf('entries', 1, rest + 1),
        'tile/0/001',
        'tile/entries/001',
        'tile/0/002.p/1',
        'tile/1/000',
        'tile/1/000.p/2',
        'tile/2/000.p/1',
        'tile/63/000.p/1',
        'tile/0/x999/x999/x999/x999/999',
      ]) {
        assert.equal(await fetch(at), null, at);
      }
    });
  });

  describe('Log entries', () => {
    test('come compressed for who takes gzip, and as they are for who does not', async () => {
      const plain = await ask('/log/tile/entries/000');
      assert.equal(plain.headers['content-encoding'], undefined);
      for (const coding of ['gzip', 'identity, gzip;q=0.5', 'br, GZIP']) {
        const answer = await ask('/log/tile/entries/000', { headers: { 'accept-encoding': coding } });
        assert.equal(answer.headers['content-encoding'], 'gzip', coding);
        assert.ok(answer.body.length < plain.body.length);
        assert.deepEqual(gunzipSync(answer.body), plain.body);
      }
      const refusing = await ask('/log/tile/entries/000', { headers: { 'accept-encoding': 'gzip;q=0' } });
      assert.deepEqual(refusing.body, plain.body);
    });
  });

  describe('who may read', () => {
    test('operators: without their token there is nothing, not even a 404', async () => {
      for (const at of ['/log/checkpoint', '/log/tile/entries/000', '/log/tile/0/000', '/log/nothing']) {
        const { status, body } = await ask(at, { headers: { authorization: `Bearer ${'x'.repeat(43)}` } });
        assert.equal(status, 401, at);
        assert.equal((JSON.parse(String(body)) as { code: string }).code, 'forbidden');
      }
    });

    test('the public listener has the checkpoint, and no tile', async () => {
      for (const at of ['/log/tile/entries/000', '/log/tile/0/000']) {
        const { hostname, port } = new URL(authority.publicUrl);
        const status = await new Promise<number | undefined>((resolve, reject) => {
          get({ hostname, port, path: at, agent: false }, (response) => {
            response.resume();
            resolve(response.statusCode);
          }).once('error', reject);
        });
        assert.equal(status, 404, at);
      }
    });
  });

  test('nothing of this was a fault', () => assert.deepEqual(authority.faults, []));
});

/** Of transparency-dev/merkle, not part of the checkout. */
const vectors = path.resolve(import.meta.dirname, '../../../shared/data/merkle/inclusion');
const skip = existsSync(vectors)
  ? false
  : 'the transparency-dev/merkle vectors are not at ../shared/data/merkle';

test(
  'the reader of these tests agrees with the inclusion vectors of transparency-dev/merkle',
  { skip },
  () => {
    const files = globSync(path.join(vectors, '**/*.json'));
    assert.ok(files.length >= 90, `only ${files.length} vectors`);
    const bytes = (base64: string | null) => Buffer.from(base64 ?? '', 'base64');
    for (const file of files) {
      const vector = JSON.parse(readFileSync(file, 'utf8')) as {
        readonly leafIdx: number;
        readonly treeSize: number;
        readonly root: string | null;
        readonly leafHash: string | null;
        readonly proof: readonly string[] | null;
        readonly desc: string;
        readonly wantErr: boolean;
      };
      const { leafIdx, treeSize, root, leafHash, proof, desc, wantErr } = vector;
      const path = (proof ?? []).map(bytes);
      assert.equal(
        includes(bytes(root), treeSize, leafIdx, bytes(leafHash), path),
        !wantErr,
        `${file}: ${desc}`,
      );
    }
  },
);
