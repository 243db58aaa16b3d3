import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { attestingAuthority } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entryOf } from '../harness/expect.ts';
import { keyAttributes } from '../harness/played-tpm.ts';
import { ScepClient } from '../harness/scep-client.ts';
import { verifyLog } from '../harness/log-findings.ts';

/** SCEP gives out no nonce of its own: the secret comes with one. */
describe('evidence of a TPM in a message of SCEP', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    authority = await attestingAuthority(cleanup);
  });

  const secretFor = async (device: string, nonce: boolean) => {
    await authority.admin.device(device, { deviceClass: 'attested-laptop' });
    const created = await authority.admin.client.perform('createSecret', {
      device,
      template: 'device',
      nonce,
    });
    return { secret: created.secret, nonce: new Uint8Array(Buffer.from(created.nonce ?? '', 'base64url')) };
  };
  const enroll = async (
    device: string,
    secret: string,
    nonce: Uint8Array | null,
    tpm = authority.tpm(device),
    of: number = keyAttributes.signAndDecrypt,
  ) => {
    const key = makeKey('rsa-2048');
    const attributes = nonce === null ? [] : [tpm.attribute(nonce, key, { attributes: of })];
    const client = await ScepClient.at(`${authority.scep}/device`);
    return client.ask({ content: csrFor(device, key, { challengePassword: secret, attributes }), key });
  };
  const controlsOf = async (answer: Awaited<ReturnType<typeof enroll>>) => {
    assert.equal(answer.pkiStatus, 'failure', answer.text);
    const { verdict } = await entryOf(authority, answer);
    return verdict.objections.map(({ control }) => control).toSorted();
  };

  test('enrolls, without an operator, with the nonce that came with its secret', async () => {
    const { secret, nonce } = await secretFor('sara', true);
    assert.equal(nonce.length, 32);
    const answer = await enroll('sara', secret, nonce);
    assert.equal(answer.pkiStatus, 'success', answer.text);
  });

  test('is refused without evidence, with another nonce, and without one', async () => {
    const { secret, nonce } = await secretFor('siri', true);
    const other = await secretFor('suse', true);
    assert.deepEqual(await controlsOf(await enroll('siri', secret, null)), [
      'attestation',
      'first-enrollment',
    ]);
    const unfresh = ['attestation', 'attestation-fresh', 'first-enrollment'];
    assert.deepEqual(await controlsOf(await enroll('siri', secret, other.nonce)), unfresh);
    const without = await secretFor('sina', false);
    assert.equal(without.nonce.length, 0);
    assert.deepEqual(await controlsOf(await enroll('sina', without.secret, nonce)), unfresh);
    const answer = await enroll('siri', secret, nonce);
    assert.equal(answer.pkiStatus, 'success', answer.text);
  });

  test('is refused from another TPM', async () => {
    const { secret, nonce } = await secretFor('sofi', true);
    assert.deepEqual(await controlsOf(await enroll('sofi', secret, nonce, authority.tpm('sara'))), [
      'attestation',
      'attestation-device',
      'first-enrollment',
    ]);
  });

  test('of a key that can leave its TPM is told so, and not to ask for a nonce; with another nonce it is', async () => {
    const { secret, nonce } = await secretFor('svea', true);
    const exportable = await enroll('svea', secret, nonce, undefined, keyAttributes.exportable);
    assert.ok((await controlsOf(exportable)).includes('attestation-sound'));
    assert.match(exportable.text, /The evidence of this key is not accepted here\./);
    const unfresh = await enroll('svea', secret, new Uint8Array(32));
    assert.match(unfresh.text, /The evidence is not fresh: ask for a nonce and attest again\./);
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
