import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, stat, utimes, writeFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { privateKeyPem } from '../../../test/harness/csr.ts';
import { TestCa } from '../../../test/harness/pki.ts';
import { openDesk } from '../terminal.fixture.ts';

const listOf = (...serials: readonly string[]) =>
  JSON.stringify({ entries: Object.fromEntries(serials.map((serial) => [serial, { status: 'REVOKED' }])) });
const old = listOf('a1', 'a2', 'a3', 'a4');

/** A mirror on the loopback, an authority's folder with an old list in it, and the command that fetches. */
async function mirrored(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const ca = TestCa.root('Mirror CA');
  const leaf = ca.endEntity({
    subject: [{ type: 'commonName', value: 'localhost' }],
    subjectAltName: [{ kind: 'dns', value: 'localhost' }],
    extendedKeyUsage: ['serverAuth'],
  });
  const server = createServer({ cert: leaf.pem, key: privateKeyPem(leaf.key) }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const desk = await openDesk(t);
  assert.equal((await desk.run('init', '--yes', '--name', 'Lists')).code, 0);
  await appendFile(
    join(desk.folder, 'sallyport.yaml'),
    '\nattestation:\n  statusLists:\n    android-key: lists/status.json\n',
  );
  const file = join(desk.folder, 'lists', 'status.json');
  await mkdir(join(desk.folder, 'lists'));
  await writeFile(file, old);
  await utimes(file, 1, 1);
  await writeFile(join(desk.folder, 'ca.pem'), ca.pem);
  const url = `https://localhost:${(server.address() as AddressInfo).port}/attestation/status`;
  return {
    desk,
    file,
    url,
    run: (...words: string[]) =>
      desk.run('attestation', 'fetch-status', '--url', url, '--ca', 'ca.pem', ...words),
    /** As it was, its age too, and nothing is left beside it. */
    async assertUntouched() {
      assert.equal(await readFile(file, 'utf8'), old);
      assert.equal((await stat(file)).mtimeMs, 1000);
      assert.deepEqual(await readdir(join(desk.folder, 'lists')), ['status.json']);
    },
  };
}

const answering =
  (body: string, status = 200, headers = {}) =>
  (_: unknown, response: ServerResponse) => {
    response.writeHead(status, headers).end(body);
  };

suite('attestation fetch-status', () => {
  test('puts a new list in the place of the old one, whole and of today', async (t) => {
    const body = listOf('a1', 'a2', 'b3');
    const { desk, file, run } = await mirrored(t, answering(body));
    const { code, out, err } = await run('--json');
    assert.equal(code, 0, err);
    const { entries, before } = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual([entries, before], [3, 4]);
    assert.equal(await readFile(file, 'utf8'), body);
    const { mode, mtimeMs } = await stat(file);
    assert.equal(mode & 0o777, 0o644);
    assert.ok(Math.abs(Date.now() - mtimeMs) < 60_000);
    assert.deepEqual(await readdir(join(desk.folder, 'lists')), ['status.json']);
  });

  test('makes an unchanged list new', async (t) => {
    const { file, run } = await mirrored(t, answering(old));
    assert.equal((await run()).code, 0);
    assert.ok(Math.abs(Date.now() - (await stat(file)).mtimeMs) < 60_000);
  });

  for (const [what, body, words] of [
    ['is no JSON', '<html>', /is no JSON/],
    ['is cut off', old.slice(0, -2), /is no JSON/],
    ['is another document', '{"entries":{"zz":{"status":"REVOKED"}}}', /not hexadecimal/],
    ['has no entries', '{"entries":{}}', /has no entries/],
    ['has less than half of the entries', listOf('a1'), /1 entries, .* 4: nothing was changed/],
  ] as const) {
    test(`refuses one that ${what}: exit code 1`, async (t) => {
      const { run, assertUntouched } = await mirrored(t, answering(body));
      const { code, err } = await run();
      assert.equal(code, 1);
      assert.match(err, words);
      assert.match(err, /nothing was changed/);
      await assertUntouched();
    });
  }

  test('takes fewer entries where an operator says so, and never none', async (t) => {
    let body = listOf('a1');
    const { file, run } = await mirrored(t, (_, response) => void response.end(body));
    assert.equal((await run('--accept-fewer')).code, 0);
    assert.equal(await readFile(file, 'utf8'), body);
    body = '{"entries":{}}';
    assert.equal((await run('--accept-fewer')).code, 1);
  });

  test('takes the first one, and one in the place of what is none', async (t) => {
    const { file, run } = await mirrored(t, answering(listOf('a1')));
    await writeFile(file, 'damaged');
    assert.equal((await run()).code, 0);
    assert.equal(await readFile(file, 'utf8'), listOf('a1'));
  });

  test('follows no redirect, and takes no answer but 200: exit code 4', async (t) => {
    let asked = 0;
    for (const [status, headers] of [
      [302, { location: '/other' }],
      [204, {}],
      [404, {}],
      [503, {}],
    ] as const) {
      const { run, assertUntouched } = await mirrored(t, (_, response) => {
        asked += 1;
        response.writeHead(status, headers).end(status === 204 ? undefined : old);
      });
      const { code, err } = await run();
      assert.equal(code, 4);
      assert.match(err, new RegExp(`answers ${status}`));
      await assertUntouched();
    }
    assert.equal(asked, 4);
  });

  test('takes no answer that is too long, too slow, or broken off: exit code 4', async (t) => {
    const long = await mirrored(t, (_, response) => {
      const part = Buffer.alloc(1024 * 1024, ' ');
      const write = (left: number): void => {
        if (left > 0 && !response.destroyed) response.write(part, () => write(left - 1));
      };
      write(64);
    });
    const { code, err } = await long.run();
    assert.equal(code, 4);
    assert.match(err, /longer than 16 MiB/);
    await long.assertUntouched();
    const slow = await mirrored(t, (_, response) => void response.write(old.slice(0, 5)));
    assert.match((await slow.run('--timeout', '1s')).err, /no answer in time/);
    await slow.assertUntouched();
    const broken = await mirrored(t, (_, response) => {
      response.writeHead(200, { 'content-length': old.length }).write(old.slice(0, 5));
      setTimeout(() => response.destroy(), 20);
    });
    assert.equal((await broken.run()).code, 4);
    await broken.assertUntouched();
  });

  test('believes none but whom it is told to: exit code 4', async (t) => {
    const { desk, url, run, assertUntouched } = await mirrored(t, answering(listOf('a1', 'a2')));
    const stranger = await desk.run('attestation', 'fetch-status', '--url', url);
    assert.equal(stranger.code, 4);
    await writeFile(join(desk.folder, 'ca.pem'), TestCa.root('Mirror CA').pem);
    assert.equal((await run()).code, 4);
    desk.environment = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    assert.equal((await run()).code, 4);
    await assertUntouched();
  });

  test('asks by https alone, and needs the name of the file', async (t) => {
    const { desk, run } = await mirrored(t, answering(old));
    for (const url of ['http://localhost/', 'file:///etc/passwd', 'https://a:b@localhost/', 'status']) {
      const { code, err } = await desk.run('attestation', 'fetch-status', '--url', url);
      assert.equal(code, 2);
      assert.match(err, /https:\/\//);
    }
    const yaml = join(desk.folder, 'sallyport.yaml');
    await writeFile(yaml, (await readFile(yaml, 'utf8')).replace(/\nattestation:[^]*$/, '\n'));
    const { code, err } = await run();
    assert.equal(code, 3);
    assert.match(err, /attestation\.statusLists\.android-key/);
    // Without a configuration it can be said.
    await rm(yaml);
    const file = join(desk.folder, 'elsewhere.json');
    const said = await run('--file', file);
    assert.equal(said.code, 0, said.err);
    assert.ok((await readFile(file)).length > 0);
  });
});
