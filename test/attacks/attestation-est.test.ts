import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parseCertificate } from '#x509';
import { attestingAuthority } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { base64, est, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { keyAttributes, type PlayedTpm } from '../harness/played-tpm.ts';
import { TestDevice } from '../harness/test-device.ts';

const evidence = (...controls: readonly string[]) => [
  'attestation',
  ...controls.map((each) => `attestation-${each}`),
];

/** A class that must attest, by EST: who has its secret and its certificates, and not its TPM, gets nothing. */
describe('evidence of a TPM in a request of EST', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  before(async () => {
    authority = await attestingAuthority(cleanup);
  });

  const laptop = (id: string) => TestDevice.expected(authority, id, { deviceClass: 'attested-laptop' });
  const nonceFor = async (device: TestDevice, by: 'secret' | 'certificate' = 'secret') => {
    const credential =
      by === 'secret'
        ? { user: [device.id, device.secret] as [string, string] }
        : { client: { certificate: device.certificate!, key: device.key } };
    const answer = await est({
      url: `${authority.est}/device/nonce`,
      trust: authority.trustPem,
      ...credential,
    });
    assert.equal(answer.status, 200, answer.text);
    const { nonce, expiry } = JSON.parse(answer.text) as { nonce: string; expiry: number };
    assert.equal(expiry, 300);
    return new Uint8Array(Buffer.from(nonce, 'base64url'));
  };
  /** Enrolls with the evidence of this TPM for this key, fresh unless it says otherwise. */
  const enroll = async (device: TestDevice, tpm: PlayedTpm, { nonce }: { nonce?: Uint8Array } = {}) => {
    const key = makeKey();
    const attribute = tpm.attribute(nonce ?? (await nonceFor(device)), key);
    const csr = csrFor(device.id, key, { attributes: [attribute] });
    return { key, csr, answer: await device.enroll({ key, csr }) };
  };
  const refused = async (answer: EstAnswer, controls: readonly string[], words: RegExp) => {
    const entry = await assertRefused(authority, answer, 403, controls);
    assert.match(JSON.stringify(entry.verdict.objections), words);
    return entry;
  };

  test('enrolls, without an operator, and the log says what was seen', async () => {
    const device = await TestDevice.unapproved(authority, 'tess', { deviceClass: 'attested-laptop' });
    const { key, answer } = await enroll(device, authority.tpm('tess'));
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Buffer.from(parseCertificate(answer.certificates[0]!).spki), Buffer.from(key.spki));
    const { items } = await authority.admin.client.perform('listCertificates', { device: 'tess' });
    assert.equal(items.length, 1);
  });

  test('renews with evidence of its new key, by a nonce for its certificate, and not without', async () => {
    const tpm = authority.tpm('rene');
    const device = await laptop('rene');
    const first = await enroll(device, tpm);
    assert.equal(first.answer.status, 200, first.answer.text);
    device.certificate = first.answer.certificates[0]!;
    const at = { url: `${authority.est}/device/simplereenroll`, trust: authority.trustPem };
    const client = { certificate: device.certificate, key: first.key };
    const asking = (csr: Uint8Array) => est({ ...at, client, body: base64(csr) });
    await refused(
      await asking(renewalCsr(device.certificate, first.key)),
      ['attestation'],
      /no evidence was offered/,
    );
    const nonceAnswer = await est({
      url: `${authority.est}/device/nonce`,
      trust: authority.trustPem,
      client,
    });
    const nonce = new Uint8Array(Buffer.from(JSON.parse(nonceAnswer.text).nonce as string, 'base64url'));
    const key = makeKey();
    const attributes = [tpm.attribute(nonce, key)];
    const answer = await asking(renewalCsr(device.certificate, key, { attributes }));
    assert.equal(answer.status, 200, answer.text);
    // It was of that request: another key needs another nonce.
    const third = makeKey();
    const reusing = renewalCsr(device.certificate, third, { attributes: [tpm.attribute(nonce, third)] });
    const again = [...evidence('fresh'), 'renewal-lineage'];
    await refused(await asking(reusing), again, /no nonce was given out/);
  });

  test('of a software TPM, or of one in a virtual machine, for a template that demands hardware', async () => {
    for (const level of ['software', 'virtual-tpm'] as const) {
      const soft = await attestingAuthority(cleanup, {
        level,
        evidence: { levels: [level] },
        edit(settings) {
          const { device } = settings['templates'] as Record<string, Record<string, unknown>>;
          device!['keyProtection'] = 'hardware';
          return settings;
        },
      });
      const device = await TestDevice.expected(soft, 'soft', { deviceClass: 'attested-laptop' });
      const given = await est({
        url: `${soft.est}/device/nonce`,
        trust: soft.trustPem,
        user: [device.id, device.secret],
      });
      const nonce = new Uint8Array(Buffer.from(JSON.parse(given.text).nonce as string, 'base64url'));
      const key = makeKey();
      const csr = csrFor('soft', key, { attributes: [soft.tpm('soft').attribute(nonce, key)] });
      const entry = await assertRefused(soft, await device.enroll({ key, csr }), 403, evidence('trusted'));
      assert.match(JSON.stringify(entry.verdict.objections), /demands hardware, and the level is/);
    }
  });

  test('with more certificates than are recorded', async () => {
    const device = await laptop('lara');
    const key = makeKey();
    const attribute = authority.tpm('lara').attribute(await nonceFor(device), key, { beside: 24 });
    const answer = await device.enroll({ key, csr: csrFor('lara', key, { attributes: [attribute] }) });
    await refused(answer, evidence('device', 'fresh', 'key', 'sound', 'trusted', 'unused'), /too-large/);
  });

  test('asked for as later drafts of the nonce have it, of a type of any length', async () => {
    const device = await laptop('nina');
    for (const [asked, told] of [
      [{ len: 48, type: '1.2.3' }, { type: '1.2.3' }],
      [
        { reqTypeInfo: { type: '2.25.340282366920938463463374607431768211455' } },
        { respTypeInfo: { type: '2.25.340282366920938463463374607431768211455' } },
      ],
      [{}, {}],
    ] as const) {
      const answer = await est({
        url: `${authority.est}/device/nonce`,
        trust: authority.trustPem,
        user: [device.id, device.secret],
        body: JSON.stringify(asked),
        headers: { 'Content-Type': 'application/est-attestation-freshness+json' },
      });
      const { nonce, expiry, ...more } = JSON.parse(answer.text) as Record<string, unknown>;
      assert.deepEqual([expiry, more], [300, told]);
      assert.equal(Buffer.from(nonce as string, 'base64url').length, 'len' in asked ? 48 : 32);
    }
    for (const [body, status] of [
      ['{"len":7}', 400],
      ['{"len":65}', 400],
      ['[]', 400],
      ['{"type":"x"}', 400],
    ] as const) {
      const headers = { 'Content-Type': 'application/est-attestation-freshness+json' };
      const user = [device.id, device.secret] as const;
      const url = `${authority.est}/device/nonce`;
      assert.equal((await est({ url, trust: authority.trustPem, user, body, headers })).status, status, body);
    }
    const nobody = await est({ url: `${authority.est}/device/nonce`, trust: authority.trustPem });
    assert.deepEqual([nobody.status, nobody.headers['www-authenticate']], [401, 'Basic realm="Sallyport"']);
  });

  test('of another TPM', async () => {
    const { answer } = await enroll(await laptop('anna'), authority.tpm('berta'));
    await refused(answer, evidence('device'), /it is of berta, and id of device anna is anna/);
  });

  test('of a TPM that nobody has named', async () => {
    const { answer } = await enroll(await laptop('nora'), authority.tpm(null));
    await refused(answer, evidence('device'), /names no permanentIdentifier/);
  });

  test('of another key', async () => {
    const device = await laptop('olga');
    const tpm = authority.tpm('olga');
    const attribute = tpm.attribute(await nonceFor(device), makeKey());
    const key = makeKey();
    const answer = await device.enroll({ key, csr: csrFor('olga', key, { attributes: [attribute] }) });
    await refused(answer, evidence('key'), /another key/);
  });

  test('with no nonce of ours, another one, one of another device, and one that has expired', async () => {
    const device = await laptop('fred');
    const tpm = authority.tpm('fred');
    const none = await enroll(device, tpm, { nonce: new Uint8Array(32) });
    await refused(none.answer, evidence('fresh'), /no nonce was given out/);
    assert.match(none.answer.text, /^The evidence is not fresh: ask for a nonce and attest again\./);
    const other = await laptop('gail');
    const theirs = await nonceFor(other);
    const ours = await nonceFor(device);
    await refused(
      (await enroll(device, tpm, { nonce: theirs })).answer,
      evidence('fresh'),
      /not hold the nonce/,
    );
    const newer = await nonceFor(device);
    await refused(
      (await enroll(device, tpm, { nonce: ours })).answer,
      evidence('fresh'),
      /not hold the nonce/,
    );
    authority.advance(300_000);
    const late = await enroll(device, tpm, { nonce: newer });
    await refused(late.answer, evidence('fresh'), /no nonce was given out/);
  });

  test('that came before, with another request', async () => {
    const device = await laptop('rosa');
    const tpm = authority.tpm('rosa');
    const { key, csr, answer } = await enroll(device, tpm);
    assert.equal(answer.status, 200, answer.text);
    // The same request again is answered as before.
    assert.equal((await device.enroll({ key, csr })).status, 200);
    // A new secret, and the key and the evidence of before.
    await device.newSecret();
    const again = await device.enroll({ key, csr });
    await refused(
      again,
      [...evidence('fresh', 'unused'), 'first-enrollment'],
      /came before, with another request/,
    );
  });

  test('that nobody asked for is of no request: the same comes with another key, and both are certified', async () => {
    const attribute = authority.tpm('both').attribute(new Uint8Array(32), makeKey());
    for (const id of ['both', 'too']) {
      const device = await TestDevice.expected(authority, id);
      const csr = csrFor(id, device.key, { attributes: [attribute] });
      const answer = await device.enroll({ csr });
      assert.equal(answer.status, 200, answer.text);
    }
  });

  test('of a key that can leave its TPM, or that signs what the TPM says', async () => {
    const exportable = await laptop('xena');
    const tpm = authority.tpm('xena');
    const key = makeKey();
    for (const attributes of [keyAttributes.exportable, keyAttributes.restricted]) {
      const attribute = tpm.attribute(await nonceFor(exportable), key, { attributes });
      const answer = await exportable.enroll({ key, csr: csrFor('xena', key, { attributes: [attribute] }) });
      await refused(answer, evidence('device', 'fresh', 'key', 'sound', 'trusted', 'unused'), /tpm-/);
      // Another nonce would not help it.
      assert.match(answer.text, /^The evidence of this key is not accepted here\./);
    }
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
