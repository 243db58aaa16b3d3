import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AttestedLaptop } from '../harness/attested-laptop.ts';
import { attestingAuthority } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { entryOf, supportCodeOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';

const day = 86_400_000;

/** Who has the hardware for an hour would have it attest keys for years, and ask with them as each certificate ends. */
describe('evidence that was made beforehand', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    authority = await attestingAuthority(cleanup, {
      edit(settings) {
        Object.assign(settings['templates']!['device']!, { validity: '90d', renewalWindow: '30d' });
        return settings;
      },
    });
  });

  /** A clock that jumps further is one that was set. */
  const pass = (days: number) => {
    for (let i = 0; i < days; i += 1) authority.advance(day);
  };
  const controls = async (answer: EstAnswer) =>
    (await entryOf(authority, answer)).verdict.objections.map(({ control }) => control);
  const early = async (id: string) => {
    const laptop = await AttestedLaptop.expected(authority, id);
    assert.equal((await laptop.ask(authority.tpm(id))).status, 200);
    const ask = await laptop.request(authority.tpm(id));
    const waiting = await ask();
    assert.equal(waiting.status, 202, waiting.text);
    assert.deepEqual(await controls(waiting), ['renewal-window']);
    return { laptop, ask, waiting };
  };

  test('is no longer fresh when its request could wait no more, and new evidence is taken', async () => {
    const { laptop, ask } = await early('pile');
    pass(6);
    assert.equal((await ask()).status, 202);
    pass(64);
    const late = await ask();
    assert.equal(late.status, 403, late.text);
    assert.deepEqual(await controls(late), ['attestation', 'attestation-fresh']);
    assert.equal((await laptop.ask(authority.tpm('pile'))).status, 200);
  });

  test('is fresh for as long as an approval of its request is good', async () => {
    const { ask, waiting } = await early('waits');
    pass(6);
    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(waiting) });
    pass(6);
    const collected = await ask();
    assert.equal(collected.status, 200, collected.text);
  });

  test('and all of it follows from what the log says', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
