import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { TestDevice } from '../harness/test-device.ts';

const cleanup = suiteCleanup();
const sources = 150;

/** As the secret is written, and another character at every place. */
const guessOf = (secret: string, at: number) =>
  [...secret]
    .map((character) => (character === '-' ? '-' : 'ABCDEFGHJK'[(character.charCodeAt(0) + at) % 10]))
    .join('');

test('guessing from many sources meets the same words every time, is in the log, and locks nobody out', async () => {
  const authority = await authorityInProcess(cleanup);
  const device = await TestDevice.expected(authority, 'laptop-1');
  const answers = await Promise.all(
    Array.from({ length: sources }, (_, at) =>
      est({
        url: `${authority.est}/simpleenroll`,
        body: base64(csrFor(device.id, makeKey())),
        user: [at % 2 === 0 ? device.id : `nobody-${at}`, guessOf(device.secret, at)],
        trust: authority.trustPem,
        localAddress: `127.2.${at >> 8}.${(at & 255) + 1}`,
      }),
    ),
  );
  const told = new Set(
    answers.map(({ status, text }) => `${status} ${text.replace(/R(?:-[0-9A-Z]{4}){4}/, 'CODE')}`),
  );
  assert.deepEqual([...told], ['401 These credentials do not authorize this request. Support code CODE.\n']);

  const refused = (await requestEntriesOf(authority)).filter(({ outcome }) => outcome === 'refused');
  assert.equal(refused.length, sources);
  for (const { observations, verdict } of refused) {
    assert.ok(verdict.objections.some(({ control }) => control === 'secret-known'));
    assert.equal(observations.secret?.id, null);
  }
  assert.ok(!JSON.stringify(refused).includes(guessOf(device.secret, 0)));
  // Whoever guesses spends from nothing that the device has.
  assert.equal((await device.enroll()).status, 200);
});
