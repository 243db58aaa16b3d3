import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseVerifierKey } from '#audit';
import { loadConfiguration } from '#config';
import { loadSoftwareKey } from '#keys';
import { openDesk } from './terminal.fixture.ts';

interface Created {
  readonly directory: string;
  readonly configuration: string;
  readonly trust: { root: string; issuing: string; chain: string };
  readonly operatorToken: string;
  readonly rootKey: string;
  readonly logVerifierKey: string;
}

test('init --yes asks nothing, and makes an authority that its owner alone can read', async (t) => {
  const desk = await openDesk(t);
  const { code, out, err } = await desk.run(
    'init',
    '--dir',
    'authority',
    '--yes',
    '--port-base',
    '19500',
    '--name',
    'Example',
    '--json',
  );
  assert.equal(err, '');
  assert.equal(code, 0);
  const created = JSON.parse(out) as Created;
  assert.equal(created.directory, join(desk.folder, 'authority'));

  for (const file of await readdir(created.directory, { recursive: true })) {
    const { mode } = await stat(join(created.directory, file));
    assert.equal(mode & 0o077, 0, `${file} can be read by others`);
  }
  const configuration = loadConfiguration(created.configuration, {});
  const enroll = configuration.listeners.find((listener) => listener.class === 'enroll')!;
  assert.deepEqual([enroll.address, enroll.port], ['127.0.0.1', 19_500]);
  assert.deepEqual(await readdir(desk.folder), ['authority'], 'nothing else is left behind');
});

test('the chain verifies: root, issuing CA with path length 0, listener for loopback', async (t) => {
  const desk = await openDesk(t);
  const { out } = await desk.run('init', '--dir', 'authority', '--yes', '--json');
  const { trust, directory } = JSON.parse(out) as Created;
  const read = async (file: string) => new X509Certificate(await readFile(file));
  const [root, issuing] = [await read(trust.root), await read(trust.issuing)];
  const listener = await read(join(directory, 'pki/listener.pem'));
  assert.ok(root.ca && root.checkIssued(root) && root.verify(root.publicKey));
  assert.ok(issuing.ca && issuing.verify(root.publicKey));
  assert.ok(!listener.ca && listener.verify(issuing.publicKey));
  assert.ok(listener.checkHost('localhost') && listener.checkIP('127.0.0.1') && listener.checkIP('::1'));
  const chain = (await readFile(trust.chain, 'utf8')).match(/-----BEGIN/g);
  assert.equal(chain?.length, 2);
  assert.equal(new X509Certificate(await readFile(trust.chain)).fingerprint256, root.fingerprint256);
});

test("the root's key opens with its own passphrase, and not with that of the others", async (t) => {
  const desk = await openDesk(t);
  const { out } = await desk.run('init', '--dir', 'authority', '--yes', '--algorithm', 'ec-p384', '--json');
  const { directory, rootKey } = JSON.parse(out) as Created;
  const read = async (file: string) => (await readFile(join(directory, file), 'utf8')).trim();
  const pem = await readFile(rootKey, 'utf8');
  const key = await loadSoftwareKey(pem, await read('offline/root.passphrase'));
  assert.equal(key.algorithm, 'ec-p384');
  await assert.rejects(loadSoftwareKey(pem, await read('secrets/passphrase').then((text) => text)));
  assert.match(await read('offline/README.txt'), /offline now/);
});

test('the log begins with the creation and the first operator, under a signed checkpoint', async (t) => {
  const desk = await openDesk(t);
  const { out } = await desk.run('init', '--dir', 'authority', '--yes', '--json');
  const { configuration, logVerifierKey } = JSON.parse(out) as Created;
  parseVerifierKey(logVerifierKey);
  const verified = await desk.run(
    'log',
    'verify',
    '--json',
    '--config',
    configuration,
    '--log-key',
    logVerifierKey,
  );
  assert.equal(verified.code, 0, verified.out);
  const report = JSON.parse(verified.out) as { ok: boolean; size: number; acts: number };
  assert.deepEqual([report.ok, report.size, report.acts], [true, 2, 1]);
});

test('a folder that holds an authority, or anything else, is left as it is', async (t) => {
  const desk = await openDesk(t);
  await desk.run('init', '--dir', 'authority', '--yes');
  const before = await readFile(join(desk.folder, 'authority/sallyport.yaml'));
  const again = await desk.run('init', '--dir', 'authority', '--yes');
  assert.equal(again.code, 1);
  assert.match(again.err, /^sallyport: .*holds an authority already/);
  assert.deepEqual(await readFile(join(desk.folder, 'authority/sallyport.yaml')), before);

  await mkdir(join(desk.folder, 'other'));
  await writeFile(join(desk.folder, 'other/letter.txt'), 'x');
  assert.equal((await desk.run('init', '--dir', 'other', '--yes')).code, 1);
  assert.deepEqual(await readdir(join(desk.folder, 'other')), ['letter.txt']);
});

test('an empty folder that is there already is filled', async (t) => {
  const desk = await openDesk(t);
  const { ino } = await stat(desk.folder);
  const { code, err } = await desk.run('init', '--dir', '.', '--yes');
  assert.equal(code, 0, err);
  assert.equal((await stat(desk.folder)).ino, ino);
  assert.ok((await readdir(desk.folder)).includes('sallyport.yaml'));
  assert.ok((await readdir(desk.folder)).every((name) => !name.startsWith('.')));
});

test('interrupted, nothing stays behind', async (t) => {
  const desk = await openDesk(t);
  const running = desk.run('init', '--dir', 'a/b/authority', '--yes', '--algorithm', 'rsa-2048');
  const interrupt = setInterval(() => desk.signals.emit('SIGINT'), 1);
  const { code, err } = await running;
  clearInterval(interrupt);
  assert.equal(code, 2, err);
  assert.match(err, /nothing was written/);
  assert.deepEqual(await readdir(desk.folder), []);
});

test('without --yes it shows what it will do and asks once; without anyone to ask it does nothing', async (t) => {
  const desk = await openDesk(t);
  const alone = await desk.run('init', '--dir', 'authority');
  assert.equal(alone.code, 2);
  assert.match(alone.err, /--yes/);

  desk.answer = '';
  const declined = await desk.run('init', '--dir', 'authority');
  assert.equal(declined.code, 2);
  assert.match(declined.err, /https:\/\/127\.0\.0\.1:8443/);
  assert.deepEqual(await readdir(desk.folder), []);

  desk.answer = 'y';
  assert.equal((await desk.run('init', '--dir', 'authority')).code, 0);
});

for (const words of [
  ['--port-base', '0'],
  ['--port-base', '65535'],
  ['--name', 'x'.repeat(65)],
  ['--log-origin', 'has spaces'],
  ['--dir', 'x'.repeat(120)],
]) {
  test(`init ${words.join(' ').slice(0, 40)} is refused before anything is written`, async (t) => {
    const desk = await openDesk(t);
    const { code, err } = await desk.run('init', '--yes', '--dir', 'authority', ...words);
    assert.ok(code === 2 || code === 3, err);
    assert.deepEqual(await readdir(desk.folder), []);
  });
}
