import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { emptyRoot } from './tree-hash.ts';
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { firstOrigin, restoredOrigin } from './restored-origin.ts';

const now = Date.UTC(2026, 10, 22, 3);
const next = (old: string) => restoredOrigin(old, now, (n) => randomBytes(n));

test('a restored log has a name of its own, and never one twice', () => {
  const names = new Set(Array.from({ length: 1000 }, () => next('ca.example.com/log')));
  assert.equal(names.size, 1000);
  for (const name of names) assert.match(name, /^ca\.example\.com\/log\/restored-20261122-[a-z2-7]{8}$/);
});

test('its name does not grow from restore to restore, and leads back to the first', () => {
  const second = next(next('ca.example.com/log'));
  assert.equal(second.length, next('ca.example.com/log').length);
  assert.equal(firstOrigin(second), 'ca.example.com/log');
});

test('its name is one that a checkpoint and the configuration can have, however long the old one is', () => {
  for (const old of ['a', `${'a/'.repeat(127)}b`, 'x'.repeat(255)]) {
    const origin = next(old);
    assert.ok(origin.length <= 255);
    assert.match(origin, /^[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/);
    assert.equal(parseCheckpoint(formatCheckpoint({ origin, size: 0, root: emptyRoot() })).origin, origin);
  }
});
