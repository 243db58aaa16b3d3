import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, makeKey, renewalCsr } from '../harness/csr.ts';
import { base64, est, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused, supportCodeOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestDevice } from '../harness/test-device.ts';

interface Holder {
  readonly key: ClientKey;
  readonly certificate: Uint8Array;
}

const day = 86_400_000;

/** A thief who is known for one would have the device wait for its limit, by asking for as many keys as that lets through. */
describe('a lineage that an operator has decided', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  const renew = (by: Holder, key = makeKey()): Promise<EstAnswer> =>
    est({
      url: `${authority.est}/device/simplereenroll`,
      body: base64(renewalCsr(by.certificate, key)),
      client: by,
      trust: authority.trustPem,
    });
  const renewed = async (by: Holder, key = makeKey()): Promise<Holder> => {
    const answer = await renew(by, key);
    assert.equal(answer.status, 200, answer.text);
    return { key, certificate: answer.certificates[0]! };
  };
  const approve = (answer: EstAnswer) =>
    authority.admin.client.perform('approveRequest', { id: supportCodeOf(answer) });
  /** What the device has had, which the thief has too, and what it has after the operator decided. */
  const settled = async (id: string) => {
    const { key, certificate } = await TestDevice.enrolled(authority, id);
    const stolen = { key, certificate: certificate! };
    const second = await renewed(stolen);
    assert.equal((await renew(stolen)).status, 202);
    const next = makeKey();
    await approve(await renew(second, next));
    const device = await renewed(second, next);
    for (let i = 0; i < 3; i += 1) authority.advance(day);
    return { stolen, device };
  };

  test('who comes with the stolen key spends from the limit of its certificate, and nothing of the device’s', async () => {
    const { stolen, device } = await settled('settled');
    for (let i = 0; i < 5; i += 1) assert.equal((await renew(stolen)).status, 202);
    const beyond = await renew(stolen);
    assert.ok(beyond.headers['retry-after']);
    const { verdict } = await assertRefused(authority, beyond, 429, ['rate-device', 'renewal-lineage']);
    const { detail } = verdict.objections.find(({ control }) => control === 'rate-device')!;
    assert.match(detail, /^this certificate, whose lineage is contested, is over its limit/);
    await renewed(await renewed(device));
  });

  test('what an operator lets through spends from the device’s limit, as any certificate does', async () => {
    const { stolen } = await settled('let');
    const key = makeKey();
    const waiting = await renew(stolen, key);
    for (let i = 0; i < 4; i += 1) assert.equal((await renew(stolen)).status, 202);
    assert.equal((await renew(stolen, key)).status, 429);
    await approve(waiting);
    await renewed(stolen, key);
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
