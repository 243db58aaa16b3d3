import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listWords } from './status.ts';

const time = Date.UTC(2026, 10, 26);
const list = {
  format: 'endorsement',
  issuer: 'CN=Maker of TPMs',
  takenAt: '2026-11-24T00:00:00.000Z',
  nextUpdate: '2026-12-24T00:00:00.000Z',
  entries: 3,
  maximumAgeSeconds: 3 * 86_400,
};

test('a list of revoked keys is a concern when it has ended or is too old, by the name of its issuer', () => {
  assert.equal(listWords(list, time), null);
  assert.equal(listWords({ ...list, maximumAgeSeconds: null }, time), null);
  assert.equal(
    listWords({ ...list, maximumAgeSeconds: 86_400 }, time),
    'the list of revoked keys of endorsement by CN=Maker of TPMs is of 2026-11-24T00:00:00.000Z, too old for a class: none of its devices gets a certificate',
  );
  const nextUpdate = '2026-11-25T00:00:00.000Z';
  assert.equal(
    listWords({ ...list, nextUpdate, maximumAgeSeconds: null }, time),
    'the list of revoked keys of endorsement by CN=Maker of TPMs has ended on 2026-11-25T00:00:00.000Z: what was revoked since is believed',
  );
  assert.match(listWords({ ...list, nextUpdate }, time) ?? '', /has ended on .*: none of its devices gets/);
  const google = { ...list, format: 'android-key', issuer: null, nextUpdate: null };
  assert.match(listWords({ ...google, maximumAgeSeconds: 3600 }, time) ?? '', /of android-key is of 2026/);
});
