import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, beforeEach, describe, test } from 'node:test';
import { formatCheckpoint, signNote, verifierKey } from '#audit';
import { loadConfiguration } from '#config';
import { loadSoftwareKey, type SoftwareKey } from '#keys';
import { authorityInProcess, sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { readCheckpoint, TileReader } from '../harness/tile-reader.ts';

describe('log export', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let parent: string;
  let vkey: string;
  let signer: { name: string; key: SoftwareKey };
  let folder: string;
  let numbers = 0;

  before(async () => {
    authority = await authorityInProcess(cleanup);
    parent = await mkdtemp(path.join(tmpdir(), 'sallyport-export-'));
    cleanup.after(() => rm(parent, { recursive: true }));
    const { log } = loadConfiguration(authority.configuration, process.env);
    const passphrase = (await readFile(path.join(authority.directory, 'secrets/passphrase'), 'utf8')).trim();
    const key = await loadSoftwareKey(await readFile(log.key.file, 'utf8'), passphrase);
    signer = { name: log.origin, key };
    vkey = verifierKey(log.origin, key.spki);
    await grow(250);
    await published();
  });
  beforeEach(() => {
    folder = path.join(parent, `mirror-${(numbers += 1)}`);
  });

  async function grow(entries: number): Promise<void> {
    const start = numbers;
    numbers += entries;
    const act = (at: number) =>
      authority.admin.client.perform('importDevices', {
        format: 'json',
        list: `[{"id":"d-${start + at}","class":"laptop"}]`,
      });
    await Promise.all(Array.from({ length: entries }, (_, at) => act(at)));
  }

  async function published(): Promise<void> {
    const { size } = await authority.admin.client.perform('listEntries', { limit: 1 });
    for (let tries = 0; tries < 200; tries += 1) {
      const note = await authority.admin.client.logDocument('checkpoint');
      if (note !== null && readCheckpoint(String(note), vkey).size >= size) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('no checkpoint came');
  }

  const exported = (to: string, ...more: string[]) =>
    sallyportHere('log', 'export', '--to', to, '--config', authority.configuration, '--json', ...more);
  const verified = (from: string, key = vkey) =>
    sallyportHere('log', 'verify', '--tiles', from, '--log-key', key, '--config', '/nowhere/sallyport.yaml');

  async function exportWell(to: string): Promise<{ size: number; earlier: number | null; fetched: number }> {
    const { code, stdout, stderr } = await exported(to);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Awaited<ReturnType<typeof exportWell>>;
  }

  function readerOf(from: string, size: number): TileReader {
    return new TileReader((name) => readFile(path.join(from, name)), size);
  }

  test('writes what a reader that knows the specification alone reads, without the authority', async () => {
    const { size, earlier } = await exportWell(folder);
    assert.equal(earlier, null);
    const head = readCheckpoint(await readFile(path.join(folder, 'checkpoint'), 'utf8'), vkey);
    assert.equal(head.size, size);
    const reader = readerOf(folder, size);
    assert.equal((await reader.entries()).length, size);
    assert.deepEqual(await reader.root(), head.root);
  });

  test('is for its owner alone', async () => {
    await exportWell(folder);
    for (const [name, mode] of [
      ['.', 0o700],
      ['tile/entries', 0o700],
      ['checkpoint', 0o600],
    ] as const) {
      assert.equal((await stat(path.join(folder, name))).mode & 0o777, mode, name);
    }
  });

  test('goes on where it stopped, and fetches no full tile twice', async () => {
    const first = await exportWell(folder);
    assert.ok(first.size < 256);
    await grow(20);
    await published();
    const second = await exportWell(folder);
    assert.deepEqual([second.earlier, second.size > 256], [first.size, true]);
    const again = await exportWell(folder);
    assert.equal(again.fetched, 0);
    await grow(1);
    await published();
    // Partial tile and partial bundle.
    const third = await exportWell(folder);
    assert.deepEqual([third.fetched, third.size], [2, second.size + 1]);
    assert.equal((await verified(folder)).code, 0);
    for (const { size } of [first, second, third]) {
      assert.equal((await readerOf(folder, size).entries()).length, size);
    }
  });

  test('what was changed in the folder is named, by the next export and by verify', async () => {
    const { size } = await exportWell(folder);
    assert.ok(size > 256);
    const rest = size % 256;
    for (const name of ['tile/entries/000', 'tile/0/000', `tile/0/001.p/${rest}`, 'tile/1/000.p/1']) {
      const altered = `${folder}-${name.replaceAll('/', '-')}`;
      await cp(folder, altered, { recursive: true });
      const bytes = await readFile(path.join(altered, name));
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(path.join(altered, name), bytes);
      for (const { code, stderr } of [await verified(altered), await exported(altered)]) {
        assert.equal(code, 5, name);
        assert.match(stderr, /tile\/|entries are not those/, name);
      }
    }
    await rm(path.join(folder, 'tile/0/000'));
    assert.match((await verified(folder)).stderr, /tile\/0\/000 is missing/);
    assert.equal((await exportWell(folder)).fetched, 1);
  });

  test('a log that is smaller than what was copied, or had another root then, is refused', async () => {
    const { size } = await exportWell(folder);
    const file = path.join(folder, 'checkpoint');
    const sign = async (other: number) => {
      const text = formatCheckpoint({ origin: signer.name, size: other, root: Buffer.alloc(32, 7) });
      await writeFile(file, await signNote(text, signer));
    };
    await sign(size + 1000);
    const smaller = await exported(folder);
    assert.equal(smaller.code, 5);
    assert.match(smaller.stderr, /it has lost some/);
    await sign(size - 1);
    const other = await exported(folder);
    assert.equal(other.code, 5);
    assert.match(other.stderr, new RegExp(`first ${size - 1} entries are not those`));
    assert.equal(readCheckpoint(await readFile(file, 'utf8'), vkey).size, size - 1);
  });

  test('names no device, unless it is asked for personal fields, which lie beside the entries and fit', async () => {
    const { admin } = authority;
    await admin.device('ida-whose-laptop');
    await published();
    const { size } = await exportWell(folder);
    const entries = async () => Buffer.concat(await readerOf(folder, size).entries()).toString();
    assert.doesNotMatch(await entries(), /ida-whose/);
    await assert.rejects(stat(path.join(folder, 'personal')), { code: 'ENOENT' });
    const without = await verified(folder);
    assert.equal(without.code, 0);
    assert.match(without.stdout, /of \d+ entries not in this folder: what was seen there cannot be derived/);

    assert.equal((await exported(folder, '--with-personal')).code, 0);
    const personal = path.join(folder, `personal/${String(Math.floor((size - 1) / 256)).padStart(3, '0')}`);
    assert.match(await readFile(personal, 'utf8'), /ida-whose-laptop/);
    assert.equal((await stat(personal)).mode & 0o777, 0o600);
    const counts = async () => {
      const words = ['log', 'verify', '--json', '--tiles', folder, '--log-key', vkey];
      const { code, stdout, stderr } = await sallyportHere(...words);
      assert.equal(code, 0, stderr);
      return (JSON.parse(stdout) as { documents: { there: number; erased: number; absent: number } })
        .documents;
    };
    const { there, ...none } = await counts();
    assert.deepEqual([there > 250, none], [true, { erased: 0, absent: 0 }]);

    const kept = await readFile(personal, 'utf8');
    for (const changed of [
      kept.replace('ida-whose-laptop', 'eva-whose-laptop'),
      kept.replace(/"salt":"../, '"salt":"zz'),
      '{',
    ]) {
      await writeFile(personal, changed);
      const { code, stderr } = await verified(folder);
      assert.notEqual(code, 0);
      assert.match(stderr, /document/);
    }
    await writeFile(personal, kept);

    await admin.client.perform('retireDevice', { id: 'ida-whose-laptop' });
    await admin.client.perform('eraseDevice', { id: 'ida-whose-laptop' });
    await published();
    await exportWell(folder);
    const stale = await verified(folder);
    assert.equal(stale.code, 5);
    assert.match(stale.stderr, /were erased, and are in this folder: export again/);
    assert.equal((await exported(folder, '--with-personal')).code, 0);
    assert.doesNotMatch(await readFile(personal, 'utf8'), /ida-whose-laptop/);
    assert.deepEqual(await counts(), { there: there - 1, erased: 2, absent: 0 });
  });

  test('a folder of the log that a restore ended is no log that fails to verify: it is kept, and named', async () => {
    await exportWell(folder);
    const file = path.join(folder, 'checkpoint');
    const origin = `${signer.name}/restored-20261122-abcdefgh`;
    const text = formatCheckpoint({ origin, size: 7, root: Buffer.alloc(32, 7) });
    const note = await signNote(text, { ...signer, name: origin });
    await writeFile(file, note);
    const { code, stderr } = await exported(folder);
    assert.equal(code, 1);
    assert.ok(stderr.includes(`the folder holds the log ${origin}`) && /restored/.test(stderr), stderr);
    assert.equal(await readFile(file, 'utf8'), note);
  });

  test("another log's key opens nothing, and nothing is written", async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const other = verifierKey(signer.name, publicKey.export({ type: 'spki', format: 'der' }));
    const { code } = await exported(folder, '--log-key', other);
    assert.equal(code, 5);
    await assert.rejects(stat(folder), { code: 'ENOENT' });
    await exportWell(folder);
    assert.equal((await verified(folder, other)).code, 5);
  });
});
