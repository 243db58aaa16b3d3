import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { exchangeCheckpoints, largestOf } from './checkpoint-exchange.ts';

const old = (size: number) => `ca.example.com/log\n${size}\nroot\n`;
const first = 'ca.example.com/log/restored-20261126-abcdefgh\n3\nroot\n';

/** One node's own file, and the anchor with the notes of another. */
async function openPlaces(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-exchange-'));
  t.after(() => rm(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  await mkdir(at('anchor'));
  await writeFile(at('checkpoint'), old(7));
  await writeFile(at('anchor/node-2.checkpoint'), old(9));
  const places = [
    { file: at('checkpoint'), published: old(7), note: first },
    { file: at('anchor/node-1.checkpoint'), published: null, note: first },
    { file: at('anchor/node-2.checkpoint'), published: old(9), note: null },
  ];
  const files = async () => (await readdir(folder, { recursive: true })).toSorted();
  return { at, places, files };
}

test("the new log's first checkpoint is in this node's places, and what was published is kept beside", async (t) => {
  const { at, places, files } = await openPlaces(t);
  const before = await files();
  const { kept, undo } = await exchangeCheckpoints(places);
  assert.deepEqual(kept, [
    at('checkpoint.ca.example.com_log.7'),
    at('anchor/node-2.checkpoint.ca.example.com_log.9'),
  ]);
  assert.deepEqual(await files(), [
    'anchor',
    'anchor/node-1.checkpoint',
    'anchor/node-2.checkpoint.ca.example.com_log.9',
    'checkpoint',
    'checkpoint.ca.example.com_log.7',
  ]);
  for (const name of ['checkpoint', 'anchor/node-1.checkpoint']) {
    assert.equal(await readFile(at(name), 'utf8'), first);
  }
  await undo();
  assert.deepEqual(await files(), before);
  assert.equal(await readFile(at('checkpoint'), 'utf8'), old(7));
});

test('where one place cannot be written all are as they were', async (t) => {
  const { at, places, files } = await openPlaces(t);
  const before = await files();
  const nowhere = { file: at('checkpoint/below'), published: null, note: first };
  await assert.rejects(exchangeCheckpoints([...places, nowhere]));
  assert.deepEqual(await files(), before);
});

test('the largest of what was published counts, whatever else stands there', () => {
  assert.equal(largestOf([old(7), 'no note', old(10), old(9)]), old(10));
  assert.equal(largestOf([]), null);
});
