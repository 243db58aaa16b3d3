import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { byteLines } from './byte-lines.ts';

async function linesOf(t: TestContext, content: string | Uint8Array) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-lines-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'lines');
  await writeFile(file, content);
  return (await Array.fromAsync(byteLines(file))).map(({ number, text, isTorn }) => [number, text, isTorn]);
}

test('a line ends at LF, and at no other character that is said to end lines', async (t) => {
  const text = 'a\u2028b\u2029c\u0085d\u000be\u000cf';
  assert.deepEqual(await linesOf(t, `${text}\nsecond\r\n\nfourth`), [
    [1, text, false],
    [2, 'second', false],
    [4, 'fourth', true],
  ]);
});

test('a carriage return within, and what is no UTF-8, make no line', async (t) => {
  assert.deepEqual(await linesOf(t, Buffer.from('a\rb\n\xff\n', 'latin1')), [
    [1, null, false],
    [2, null, false],
  ]);
});

test('lines over several readings are whole; one that is longer than any entry is refused', async (t) => {
  const long = 'x'.repeat(200_000);
  assert.deepEqual(await linesOf(t, `${long}\n${long}\n`), [
    [1, long, false],
    [2, long, false],
  ]);
  await assert.rejects(linesOf(t, `a\n${'x'.repeat(2 ** 20 + 1)}`), {
    code: 'log',
    message: /:2 is longer than any entry/,
  });
});
