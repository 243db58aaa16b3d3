import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { base64, est, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused, entryOf, supportCodeOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { ScepDevice } from '../harness/scep-device.ts';
import { TestDevice } from '../harness/test-device.ts';

interface Holder {
  readonly key: ClientKey;
  readonly certificate: Uint8Array;
}

const sha256 = ({ certificate }: Pick<Holder, 'certificate'>) =>
  createHash('sha256').update(certificate).digest('hex');

/** A device's key in other hands: both can renew, and each renewal is a key that only one of them has. */
describe('a certificate that two renew', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml.replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000'),
    );
  });

  /** The first certificate of a device: what the device has, and so does the thief. */
  const stolen = async (id: string): Promise<Holder> => {
    const { key, certificate } = await TestDevice.enrolled(authority, id);
    return { key, certificate: certificate! };
  };
  const renew = (by: Holder, key: ClientKey): Promise<EstAnswer> =>
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
  /** The words that the operator reads. */
  const held = async (answer: EstAnswer): Promise<string> => {
    assert.equal(answer.status, 202, answer.text);
    const { outcome, verdict } = await entryOf(authority, answer);
    assert.equal(outcome, 'held');
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['renewal-lineage'],
    );
    return verdict.objections[0]!.detail;
  };
  const approve = (answer: EstAnswer) =>
    authority.admin.client.perform('approveRequest', { id: supportCodeOf(answer) });

  test('the thief comes second: nothing is issued to him, and the device goes on when an operator says so', async () => {
    const a = await stolen('second');
    const b = await renewed(a);
    const thief = makeKey();
    const words = await held(await renew(a, thief));
    assert.match(words, new RegExp(`${sha256(a)} was renewed already, to another key.*: ${sha256(b)}$`));
    // What the device has is in doubt as well, until somebody has looked.
    const next = makeKey();
    const waiting = await renew(b, next);
    assert.match(await held(waiting), new RegExp(`^certificate ${sha256(a)}, .*current: none$`));
    await approve(waiting);
    const c = await renewed(b, next);
    const d = await renewed(c);
    // The thief comes again, with this key and with others, and holds up nobody.
    await held(await renew(a, thief));
    await held(await renew(a, makeKey()));
    await renewed(d);
  });

  test('the thief comes first: what he got goes on no more, and the operator is told which it is', async () => {
    const a = await stolen('first');
    const thief = await renewed(a);
    const key = makeKey();
    const waiting = await renew(a, key);
    assert.match(await held(waiting), new RegExp(`: ${sha256(thief)}$`));
    await held(await renew(thief, makeKey()));
    await approve(waiting);
    const device = await renewed(a, key);
    const words = await held(await renew(thief, makeKey()));
    assert.match(words, new RegExp(`no operator has decided for this branch.*: ${sha256(device)}$`));
    await held(await renew(thief, thief.key));
    await renewed(await renewed(device));
  });

  test('the thief renews with the key that he has: that is a second branch too', async () => {
    const a = await stolen('same-key');
    await renewed(a, a.key);
    await held(await renew(a, makeKey()));
    const other = await stolen('same-key-second');
    await renewed(other);
    await held(await renew(other, other.key));
  });

  test('both come at once: one gets a certificate, and the other waits', async () => {
    for (let round = 0; round < 5; round += 1) {
      const a = await stolen(`race-${round}`);
      const keys = [makeKey(), makeKey(), makeKey()];
      const answers = await Promise.all(keys.map((key) => renew(a, key)));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      for (const [at, { status }] of answers.entries()) {
        if (status === 200) continue;
        // Who lost between reserving and closing is told to come again.
        assert.ok(status === 202 || status === 503, String(status));
        await held(await renew(a, keys[at]!));
      }
    }
  });

  for (const isHeldBefore of [false, true]) {
    const when = isHeldBefore ? 'after it waited' : 'before it comes';
    test(`a client that makes a new key each time is let by an approval that names it, ${when}, and the other branch is held`, async () => {
      const id = `new-keys-${isHeldBefore}`;
      const a = await stolen(id);
      const lost = await renewed(a);
      if (isHeldBefore) await held(await renew(a, makeKey()));
      await authority.admin.client.perform('approveDevice', {
        id,
        template: 'device',
        lifts: ['renewal-lineage'],
      });
      const b = await renewed(a);
      // Once.
      await held(await renew(a, makeKey()));
      await held(await renew(lost, makeKey()));
      await renewed(await renewed(b));
    });
  }

  test('the same request again gets what it got, and contests nothing', async () => {
    const a = await stolen('again');
    const key = makeKey();
    const b = await renewed(a, key);
    assert.equal(sha256(await renewed(a, key)), sha256(b));
    const c = await renewed(b);
    // Also while somebody else contests.
    await held(await renew(a, makeKey()));
    assert.equal(sha256(await renewed(a, key)), sha256(b));
    assert.equal(sha256(await renewed(b, c.key)), sha256(c));
  });

  test('what is refused for something else contests nothing', async () => {
    const a = await stolen('refused');
    const b = await renewed(a);
    const answer = await est({
      url: `${authority.est}/device/simplereenroll`,
      body: base64(csrFor('another-name', makeKey())),
      client: a,
      trust: authority.trustPem,
    });
    await assertRefused(authority, answer, 400, ['renewal-lineage', 'renewal-names', 'request-subject']);
    await renewed(b);
  });

  test('a branch that was revoked is in nobody’s way', async () => {
    const a = await stolen('revoked');
    const b = await renewed(a);
    await authority.admin.client.perform('revokeCertificate', { id: sha256(b), reason: 'keyCompromise' });
    await renewed(await renewed(a));
  });

  test('once contested, a revocation lets nobody through: whoever is left may be the thief', async () => {
    const a = await stolen('left');
    const b = await renewed(a);
    await held(await renew(a, makeKey()));
    await authority.admin.client.perform('revokeCertificate', { id: sha256(a), reason: 'keyCompromise' });
    const key = makeKey();
    const waiting = await renew(b, key);
    await held(waiting);
    await approve(waiting);
    await renewed(await renewed(b, key));
  });

  test('a device is erased with what is contested of it', async () => {
    const a = await stolen('erased');
    await renewed(a);
    await held(await renew(a, makeKey()));
    await authority.admin.client.perform('retireDevice', { id: 'erased' });
    await authority.admin.client.perform('eraseDevice', { id: 'erased' });
  });

  test('by SCEP as well, whose client is told to poll', async () => {
    const device = await ScepDevice.enrolled(authority, 'by-scep');
    const a = device.certificate!;
    assert.equal((await device.renew({}, makeKey('rsa-2048'))).pkiStatus, 'success');
    const answer = await device.renew({ signer: a }, makeKey('rsa-2048'));
    assert.equal(answer.pkiStatus, 'pending', answer.text);
    const { verdict } = (await requestEntriesOf(authority)).at(-1)!;
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['renewal-lineage'],
    );
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
