import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AttestedLaptop } from '../harness/attested-laptop.ts';
import { attestingAuthority } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { entryOf, supportCodeOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';

/** Who holds a device can install an older system, whose holes are known: floors of a class are below what most of its devices have. */
describe('a device whose versions go back', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    authority = await attestingAuthority(cleanup);
  });

  const issued = (answer: EstAnswer) => assert.equal(answer.status, 200, answer.text);
  const held = async (answer: EstAnswer, words: RegExp) => {
    assert.equal(answer.status, 202, answer.text);
    const { verdict } = await entryOf(authority, answer);
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['attestation-rollback'],
    );
    assert.match(verdict.objections[0]!.detail, words);
  };
  /** Enrolled with firmware 2.0. */
  const enrolled = async (id: string) => {
    const laptop = await AttestedLaptop.expected(authority, id);
    issued(await laptop.ask(authority.tpm(id, { firmware: '00020000' })));
    return laptop;
  };

  test('renews with the same firmware and with a later one, and not with an earlier one', async () => {
    const laptop = await enrolled('greta');
    issued(await laptop.ask(authority.tpm('greta', { firmware: '00020000' })));
    issued(await laptop.ask(authority.tpm('greta', { firmware: '00020001' })));
    await held(
      await laptop.ask(authority.tpm('greta', { firmware: '00020000' })),
      /firmware is 2\.0, and was 2\.1$/,
    );
  });

  test('waits as well where nothing is said of the firmware any more', async () => {
    const laptop = await enrolled('hilde');
    await held(
      await laptop.ask(authority.tpm('hilde', { firmware: '1' })),
      /firmware is not said, and was 2\.0$/,
    );
  });

  test('is let go back once by an operator, and from there no further', async () => {
    const laptop = await enrolled('ilse');
    const repaired = authority.tpm('ilse', { firmware: '00010005' });
    const request = await laptop.request(repaired);
    const waiting = await request();
    await held(waiting, /firmware is 1\.5, and was 2\.0$/);
    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(waiting) });
    issued(await request());
    issued(await laptop.ask(repaired));
    await held(
      await laptop.ask(authority.tpm('ilse', { firmware: '00010004' })),
      /firmware is 1\.4, and was 1\.5$/,
    );
  });

  test('is let go back to what the operator read, and with the same key no further', async () => {
    const laptop = await enrolled('lena');
    const [key, attestationKey] = [makeKey(), makeKey()];
    const tpm = (firmware: string) => authority.tpm('lena', { firmware, key: attestationKey });
    const waiting = await laptop.ask(tpm('00010009'), key);
    await held(waiting, /firmware is 1\.9, and was 2\.0$/);
    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(waiting) });
    await held(await laptop.ask(tpm('00000001'), key), /firmware is 0\.1, and was 2\.0$/);
    // With evidence of another nonce, as a client makes it that asks again.
    issued(await laptop.ask(tpm('00010009'), key));
    await held(await laptop.ask(tpm('00000001')), /firmware is 0\.1, and was 1\.9$/);
  });

  test('whose client makes a new key each time is let go back once by an approval that names it, and by no other', async () => {
    const laptop = await enrolled('nora');
    const approve = (lifts?: 'attestation-rollback'[]) =>
      authority.admin.client.perform('approveDevice', {
        id: 'nora',
        template: 'device',
        ...(lifts === undefined ? {} : { lifts }),
      });
    await approve();
    const repaired = () => laptop.ask(authority.tpm('nora', { firmware: '00010009' }));
    await held(await repaired(), /is 1\.9, and was 2\.0$/);
    await approve(['attestation-rollback']);
    issued(await repaired());
    await held(
      await laptop.ask(authority.tpm('nora', { firmware: '00010008' })),
      /firmware is 1\.8, and was 1\.9$/,
    );
  });

  test('does not wait under an id that the operator read something else of', async () => {
    const laptop = await enrolled('mara');
    const [key, attestationKey] = [makeKey(), makeKey()];
    const tpm = (firmware: string) => authority.tpm('mara', { firmware, key: attestationKey });
    const read = supportCodeOf(await laptop.ask(tpm('00010009'), key));
    await held(await laptop.ask(tpm('00010009'), key), /is 1\.9/);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const own = items.filter(({ device }) => device === 'mara');
    assert.deepEqual(
      own.map(({ id, evidence }) => [id, evidence?.said.versions]),
      [[read, { firmware: '1.9' }]],
    );
    await held(await laptop.ask(tpm('00000001'), key), /is 0\.1/);
    await assert.rejects(authority.admin.client.perform('approveRequest', { id: read }), /is denied already/);
  });

  test('gets the answer to a request that was answered before all the same', async () => {
    const laptop = await AttestedLaptop.expected(authority, 'jutta');
    issued(await laptop.ask(authority.tpm('jutta', { firmware: '00010000' })));
    const request = await laptop.request(authority.tpm('jutta', { firmware: '00010000' }));
    issued(await request());
    issued(await laptop.ask(authority.tpm('jutta', { firmware: '00020000' })));
    issued(await request());
  });

  test('what was held told nothing: the versions of before count', async () => {
    const laptop = await enrolled('kaja');
    await held(await laptop.ask(authority.tpm('kaja', { firmware: '00010000' })), /is 1\.0, and was 2\.0$/);
    await held(await laptop.ask(authority.tpm('kaja', { firmware: '00010005' })), /is 1\.5, and was 2\.0$/);
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
