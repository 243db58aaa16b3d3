import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { attestingAuthority } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entryOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Certificates of attestation keys by Microsoft name no device: the inventory says which device has which of them. */
describe('a device whose attestation key the inventory knows', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    const device = { from: 'attestationKey', is: 'akSha256' };
    authority = await attestingAuthority(cleanup, { evidence: { device } });
  });

  const enrolled = async (id: string, of: Uint8Array | null, key = makeKey()) => {
    const identifiers: Record<string, string> =
      of === null ? {} : { akSha256: createHash('sha256').update(of).digest('hex') };
    const device = await TestDevice.expected(authority, id, { deviceClass: 'attested-laptop', identifiers });
    const tpm = authority.tpm(null, { key });
    const attribute = tpm.attribute(await device.nonce(), device.key);
    return device.enroll({ csr: csrFor(id, device.key, { attributes: [attribute] }) });
  };

  test('gets a certificate by it, which names it as the inventory does', async () => {
    const key = makeKey();
    const answer = await enrolled('anna', key.spki, key);
    assert.equal(answer.status, 200, answer.text);
  });

  for (const [what, of, words] of [
    ['of another key', makeKey().spki, /it is of [0-9a-f]{64}, and akSha256 of device .* is /],
    ['where the inventory has none', null, /the inventory has no akSha256 of device/],
  ] as const) {
    test(`is refused evidence ${what}`, async () => {
      const answer = await enrolled(what.replaceAll(' ', '-'), of);
      assert.equal(answer.status, 403, answer.text);
      const { verdict } = await entryOf(authority, answer);
      const found = verdict.objections.find(({ control }) => control === 'attestation-device');
      assert.match(JSON.stringify(found), words);
    });
  }

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
