import assert from 'node:assert/strict';
import {
  appendFile,
  type FileHandle,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { blobOf } from '../blob.ts';
import { SealedFields, sealEntry } from '../sealed-entry.ts';
import { encodeEntry } from '../entry.ts';
import { leafHash } from '../tree-hash.ts';
import { openNdjsonSink } from './ndjson.ts';
import { drain } from './sink.ts';

const entry = (index: number) => ({
  index,
  bytes: Buffer.from(`{"n":${index},"text":"ü"}`),
  blobs: [],
});

/** A log of so many entries, each as `entry` gives it. */
const logOf = (size: number) => ({
  entries: async (from: number, to: number) =>
    Array.from({ length: Math.max(0, Math.min(to, size) - from) }, (_, at) => entry(from + at)),
});

/** With what is moved by draining it. */
const drainedLog = (size: number, state: { cursor: number }) => ({
  ...logOf(size),
  blobs: async () => [],
  sinkCursor: async () => state.cursor,
  saveSinkCursor: async (_sink: string, index: number) => void (state.cursor = index),
});

const openSink = (file: string, { origin = 'o', log = logOf(100) } = {}) =>
  openNdjsonSink({ name: 'file', file, origin, personalFields: 'opened', log });

async function temporaryFile(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sallyport-sink-'));
  t.after(() => rm(directory, { recursive: true }));
  return path.join(directory, 'events.ndjson');
}

async function lines(file: string) {
  return (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function indices(file: string): Promise<number[]> {
  return (await lines(file)).map(({ log }) => log.index);
}

test('each line holds the entry, its index, and the hash by which the stream verifies by itself', async (t) => {
  const file = await temporaryFile(t);
  const sink = await openSink(file, { origin: 'example.org/log' });
  await sink.deliver([entry(0), entry(1)]);
  await sink.close();
  const [first, second] = await lines(file);
  assert.deepEqual(first.entry, { n: 0, text: 'ü' });
  assert.equal(second.log.index, 1);
  assert.equal(second.log.leafHash, Buffer.from(leafHash(entry(1).bytes)).toString('base64'));
});

suite('personal fields', () => {
  const salt = Buffer.alloc(16, 3);
  const whole = { id: 'R-1', who: 'ida' };
  const { bytes, document } = sealEntry(whole, new SealedFields(['/who']), salt);
  const leaf = JSON.parse(Buffer.from(bytes).toString()) as object;

  test('are put back into a line, with the salt by which its leaf hash can be computed again', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    assert.equal(sink.opens, true);
    const beside = blobOf(salt, Buffer.from('a certification request'));
    await sink.deliver([{ index: 0, bytes, blobs: [beside, document!] }, entry(1)]);
    await sink.close();
    const [first, second] = await lines(file);
    assert.deepEqual(first.entry, whole);
    assert.equal(first.log.salt, salt.toString('base64'));
    assert.equal(first.log.leafHash, Buffer.from(leafHash(bytes)).toString('base64'));
    assert.equal(second.log.salt, undefined);
    assert.deepEqual(await indices(file), [0, 1]);
  });

  test('that are not there, or are not those of the entry, leave the leaf, and the sink goes on', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    const changed = { ...document!, bytes: Buffer.from('{"/who":"eve"}') };
    await sink.deliver([
      { index: 0, bytes, blobs: [] },
      { index: 1, bytes, blobs: [changed] },
    ]);
    await sink.close();
    assert.deepEqual(
      (await lines(file)).map((line) => [line.entry, line.log.salt]),
      [
        [leaf, undefined],
        [leaf, undefined],
      ],
    );
  });

  test('are asked for by a sink that opens entries, and not by one that takes leaves alone', async (t) => {
    for (const personalFields of ['opened', 'sealed'] as const) {
      const file = await temporaryFile(t);
      const settings = { name: 'file', file, origin: 'o', personalFields, log: logOf(1) };
      const sink = await openNdjsonSink(settings);
      let cursor = 0;
      const log = {
        entries: async () => [{ index: 0, bytes }],
        blobs: async () => [{ ...document!, index: 0 }],
        sinkCursor: async () => cursor,
        saveSinkCursor: async (_sink: string, next: number) => void (cursor = next),
      };
      assert.equal(await drain(sink, log, 1), 1);
      await sink.close();
      const [line] = await lines(file);
      assert.deepEqual(line.entry, personalFields === 'opened' ? whole : leaf);
      assert.equal('salt' in line.log, personalFields === 'opened');
    }
  });
});

test('no character tears a line for any reader, and the entry that was hashed is had back', async (t) => {
  const file = await temporaryFile(t);
  const sink = await openSink(file);
  const bytes = encodeEntry({ name: 'a\u0085b\u2028c\u2029d\n\r\u000b' });
  await sink.deliver([{ index: 0, bytes, blobs: [] }]);
  await sink.close();
  const text = await readFile(file, 'utf8');
  assert.doesNotMatch(text.trimEnd(), /[\n\r\u000b\u000c\u0085\u2028\u2029]/);
  assert.deepEqual(Buffer.from(encodeEntry(JSON.parse(text).entry)), Buffer.from(bytes));
});

test('a file of another log of the same authority goes on, from its first entry', async (t) => {
  const file = await temporaryFile(t);
  const restored = 'ca.example.com/log/restored-20261122-abcdefgh';
  for (const origin of ['ca.example.com/log', restored]) {
    const sink = await openSink(file, { origin });
    await sink.deliver([entry(0), entry(1)]);
    await sink.close();
  }
  assert.deepEqual(await indices(file), [0, 1, 0, 1]);
  await assert.rejects(openSink(file, { origin: 'ca.example.com/other' }), { code: 'config' });
});

test('what was delivered and not acknowledged is not written twice', async (t) => {
  const file = await temporaryFile(t);
  const before = await openSink(file);
  await before.deliver([entry(0), entry(1)]);
  await before.close();
  const after = await openSink(file);
  await after.deliver([entry(0), entry(1), entry(2)]);
  await after.close();
  assert.deepEqual(await indices(file), [0, 1, 2]);
});

test('what the file lacks is written, wherever another has moved the cursor', async (t) => {
  const file = await temporaryFile(t);
  const state = { cursor: 7 };
  const log = drainedLog(9, state);
  // An empty file is one that was rotated: what was before is elsewhere.
  const first = await openSink(file);
  await drain(first, log, 8);
  state.cursor = 9;
  await drain(first, log, 9);
  await first.close();
  assert.deepEqual(await indices(file), [7, 8]);
  state.cursor = 20;
  const next = await openSink(file);
  await drain(next, drainedLog(20, state), 20);
  await next.close();
  assert.deepEqual(await indices(file), [7, 8, ...Array.from({ length: 11 }, (_, at) => at + 9)]);
});

test('a long arrear goes out in parts, without a gap', async (t) => {
  const file = await temporaryFile(t);
  const log = drainedLog(1000, { cursor: 0 });
  const sink = await openSink(file);
  const moved: number[] = [];
  for (let at = 0; at < 5; at += 1) moved.push(await drain(sink, log, 1000, 300));
  await sink.close();
  assert.deepEqual(moved, [300, 300, 300, 100, 0]);
  assert.deepEqual(
    await indices(file),
    Array.from({ length: 1000 }, (_, at) => at),
  );
});

test('a line torn by a crash is cut off and written again', async (t) => {
  const file = await temporaryFile(t);
  const before = await openSink(file);
  await before.deliver([entry(0)]);
  await before.close();
  await appendFile(file, '{"log":{"origin":"o","ind');
  const after = await openSink(file);
  await after.deliver([entry(1)]);
  await after.close();
  assert.deepEqual(await indices(file), [0, 1]);
});

test('a file that is not of this kind is refused, and not cut', async (t) => {
  const file = await temporaryFile(t);
  for (const content of ['precious\n', 'precious', '{"log":{precious},"entry":{}}\n']) {
    await writeFile(file, content);
    await assert.rejects(openSink(file), { code: 'config' });
    assert.equal(await readFile(file, 'utf8'), content);
  }
});

suite('a rotated file', () => {
  test('that was renamed has what was written before, and a new one has what comes', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    await sink.deliver([entry(0), entry(1)]);
    await rename(file, `${file}.1`);
    await sink.deliver([entry(1), entry(2)]);
    await sink.deliver([entry(3)]);
    await sink.close();
    assert.deepEqual(await indices(`${file}.1`), [0, 1]);
    assert.deepEqual(await indices(file), [2, 3]);
  });

  test('that was deleted, or replaced by an empty one, is opened anew', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    await sink.deliver([entry(0)]);
    await unlink(file);
    await sink.deliver([entry(1)]);
    assert.deepEqual(await indices(file), [1]);
    await rename(file, `${file}.1`);
    await writeFile(file, '');
    await sink.deliver([entry(2)]);
    await sink.close();
    assert.deepEqual(await indices(file), [2]);
  });

  test('that was cut to nothing is written on, and a failed append after it leaves no torn line', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    await sink.deliver([entry(0), entry(1)]);
    await writeFile(file, '');
    await failNextAppend(t, file);
    await assert.rejects(sink.deliver([entry(2)]), { code: 'ENOSPC' });
    await sink.deliver([entry(2)]);
    await sink.close();
    assert.deepEqual(await indices(file), [2]);
  });

  test('whose place a foreign file took is refused, and tried again', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    await sink.deliver([entry(0)]);
    await rename(file, `${file}.1`);
    await writeFile(file, 'precious\n');
    await assert.rejects(sink.deliver([entry(1)]), { code: 'config' });
    assert.equal(await readFile(file, 'utf8'), 'precious\n');
    await unlink(file);
    await sink.deliver([entry(1)]);
    await sink.close();
    assert.deepEqual(await indices(file), [1]);
  });
});

suite('a failed append', () => {
  test('leaves no torn line, and the retry writes each line once', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    await sink.deliver([entry(0)]);
    const { size } = await stat(file);
    await failNextAppend(t, file);
    await assert.rejects(sink.deliver([entry(1), entry(2), entry(3)]), { code: 'ENOSPC' });
    assert.equal((await stat(file)).size, size);
    await sink.deliver([entry(1), entry(2), entry(3)]);
    await sink.close();
    assert.deepEqual(await indices(file), [0, 1, 2, 3]);
  });

  test('that could not be taken back either is taken back before the retry', async (t) => {
    const file = await temporaryFile(t);
    const sink = await openSink(file);
    await sink.deliver([entry(0)]);
    await failNextAppend(t, file);
    await failNext(t, file, 'truncate', async () => {});
    await assert.rejects(sink.deliver([entry(1), entry(2)]), { code: 'ENOSPC' });
    await sink.deliver([entry(1), entry(2)]);
    await sink.close();
    assert.deepEqual(await indices(file), [0, 1, 2]);
  });
});

suite('the file of another log', () => {
  const another = /belongs to another log/;

  test('is refused by the origin of its last line', async (t) => {
    const file = await temporaryFile(t);
    const before = await openSink(file, { origin: 'other' });
    await before.deliver([entry(0)]);
    await before.close();
    await assert.rejects(openSink(file), { code: 'config', message: another });
  });

  test('is refused where our entry of that index is another one', async (t) => {
    const file = await temporaryFile(t);
    const before = await openSink(file);
    await before.deliver([entry(0), { index: 1, bytes: Buffer.from('{"n":"other"}'), blobs: [] }]);
    await before.close();
    const content = await readFile(file);
    await assert.rejects(openSink(file), { code: 'config', message: another });
    assert.deepEqual(await readFile(file), content);
  });

  test('is refused where our log has no entry of that index', async (t) => {
    const file = await temporaryFile(t);
    const before = await openSink(file);
    await before.deliver([entry(0), entry(1)]);
    await before.close();
    await assert.rejects(openSink(file, { log: logOf(1) }), { code: 'config', message: another });
    await (await openSink(file, { log: logOf(2) })).close();
  });
});

/** As a full disk does it: half of the next append is written, to whatever file. */
async function failNextAppend(t: TestContext, file: string): Promise<void> {
  await failNext(t, file, 'appendFile', async (handle, text) => {
    const bytes = Buffer.from(text as string);
    await handle.write(bytes, 0, Math.ceil(bytes.length / 2));
  });
}

async function failNext(
  t: TestContext,
  file: string,
  method: 'appendFile' | 'truncate',
  before: (handle: FileHandle, argument: unknown) => Promise<void>,
): Promise<void> {
  const handle = await open(file);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const fail = async function (this: FileHandle, argument: unknown) {
    await before(this, argument);
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  t.mock.method(prototype, method, fail, { times: 1 });
}
