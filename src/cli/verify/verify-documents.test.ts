import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import {
  documentBundlePath,
  formatDocumentBundle,
  formatEntryBundle,
  type StoredBlob,
  tilePath,
  tileWidth,
} from '#audit';
import { type Entry, eraseAct, newEntry } from '#enrollment';
import { verifyDocuments } from './verify-documents.ts';

const origin = 'example.org/log';
const size = 400;

function act(index: number, name: string, detail: Readonly<Record<string, unknown>>) {
  const entry: Entry = {
    type: 'act',
    version: 2,
    id: `A-${index}`,
    time: 0,
    operator: 'ada',
    act: name,
    detail,
  };
  return newEntry(entry, randomBytes);
}

/** An export of that many sealed entries, the last of which erased these ranges; with the documents that `kept` says. */
function filesOf(ranges: readonly (readonly [number, number])[], kept: (index: number) => boolean) {
  const entries = Array.from({ length: size }, (_, index) =>
    index < size - 1
      ? act(index, 'device.suspend', { device: `d-${index}` })
      : act(index, eraseAct, { as: 'E-1', erased: [{ log: origin, indexes: ranges }] }),
  );
  const files = new Map<string, Uint8Array>();
  for (let from = 0; from < size; from += tileWidth) {
    const some = entries.slice(from, from + tileWidth);
    const path = tilePath('entries', from / tileWidth, some.length);
    files.set(path, formatEntryBundle(some.map(({ bytes }) => bytes)));
    const documents = some.flatMap(({ blobs }, at): StoredBlob[] =>
      blobs.filter(() => kept(from + at)).map((blob) => ({ ...blob, index: from + at })),
    );
    files.set(documentBundlePath(from / tileWidth), formatDocumentBundle(documents));
  }
  return { read: async (path: string) => files.get(path) ?? null };
}

const ranges = [
  [3, 5],
  [250, 260],
] as const;
const isErased = (index: number) => ranges.some(([first, last]) => first <= index && index <= last);

suite('documents of an export', () => {
  test('are counted: there, erased, and left out', async () => {
    const files = filesOf(ranges, (index) => !isErased(index) && index % 3 !== 0);
    const sealed = Array.from({ length: size - 1 }, (_, index) => index);
    const left = sealed.filter((index) => !isErased(index));
    assert.deepEqual(await verifyDocuments(files, { origin, size }), {
      there: left.filter((index) => index % 3 !== 0).length,
      erased: sealed.filter(isErased).length,
      absent: left.filter((index) => index % 3 === 0).length,
    });
  });

  test('that an act erased are named where they stayed', async () => {
    const files = filesOf(ranges, (index) => !isErased(index) || index === 257);
    await assert.rejects(verifyDocuments(files, { origin, size }), /entry 257 were erased, and are in this/);
  });
});
