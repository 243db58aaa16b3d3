import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { attribute } from '#cms';
import {
  assembleSigned,
  buildName,
  type Certificate,
  der,
  encodeBasicConstraints,
  encodeName,
  encodeTbsCertificate,
  extensionOids,
  parseCertificate,
  sidUriPrefix,
} from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entryOf } from '../harness/expect.ts';
import { type CsrSettings, csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf } from '../harness/entries.ts';
import { type ScepAnswer, selfSigned } from '../harness/scep-client.ts';
import { ScepDevice } from '../harness/scep-device.ts';

const nameOf = (id: string) => buildName([{ type: 'commonName', value: id }]);
const failInfos = { badAlg: '0', badMessageCheck: '1', badRequest: '2', badCertId: '4' } as const;

describe('SCEP under attack', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml
        .replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000')
        .replaceAll('burst: 600', 'burst: 6000'),
    );
  });
  let devices = 0;
  const name = () => `scep-${(devices += 1)}`;
  const certificates = async (id: string) => {
    const { items } = await authority.admin.client.perform('listCertificates', { device: id });
    return items.length;
  };
  const assertRefused = async (
    answer: ScepAnswer,
    failInfo: keyof typeof failInfos,
    controls: readonly string[],
  ) => {
    assert.deepEqual([answer.pkiStatus, answer.failInfo], ['failure', failInfos[failInfo]], answer.text);
    const { outcome, verdict } = await entryOf(authority, answer);
    assert.equal(outcome, 'refused');
    assert.deepEqual(verdict.objections.map(({ control }) => control).toSorted(), [...controls].toSorted());
  };

  test('a messageType that is none of a request issues nothing (CVE-2026-30836)', async () => {
    const device = await ScepDevice.make(authority, name());
    for (const messageType of ['0', '3', '18', '20', '21', '22', '99', '19 ', ' 19', '019', '']) {
      const answer = await device.enroll({ messageType });
      assert.notEqual(answer.pkiStatus, 'success', messageType);
      assert.equal(answer.certificates.length, 0);
    }
    const twice = await device.enroll({
      more: [attribute('2.16.840.1.113733.1.9.2', der.printableString('19'))],
    });
    assert.deepEqual([twice.status, /twice/.test(twice.text)], [400, true]);
    assert.equal(await certificates(device.id), 0);
    assert.equal((await device.enroll()).pkiStatus, 'success');
  });

  const cases: readonly { name: string; control: string; change: Partial<CsrSettings> }[] = [
    {
      name: 'another common name',
      control: 'request-subject',
      change: { subject: [{ type: 'commonName', value: 'ceo' }] },
    },
    {
      name: 'an alternative name',
      control: 'request-subject-alt-name',
      change: { subjectAltName: [{ kind: 'dns', value: 'dc1.example.org' }] },
    },
    {
      name: 'a CA certificate',
      control: 'request-end-entity',
      change: {
        extensions: [
          {
            oid: extensionOids.basicConstraints,
            critical: true,
            value: encodeBasicConstraints({ ca: true }),
          },
        ],
      },
    },
    {
      name: 'a Microsoft SID',
      control: 'request-no-sid',
      change: { subjectAltName: [{ kind: 'uri', value: `${sidUriPrefix}S-1-5-21-1-2-3-500` }] },
    },
  ];
  for (const { name: asked, control, change } of cases) {
    test(`a secret of one device gets nobody ${asked}`, async () => {
      const device = await ScepDevice.make(authority, name());
      const content = csrFor(device.id, device.key, { challengePassword: device.secret, ...change });
      const answer = await device.client.ask({ content, key: device.key });
      await assertRefused(answer, 'badRequest', [control]);
    });
  }

  test('no, an empty and a wrong challengePassword, and that of another template', async () => {
    const device = await ScepDevice.make(authority, name());
    const ask = (change: Partial<CsrSettings>, client = device.client) => {
      const content = csrFor(device.id, device.key, change);
      return client.ask({ content, key: device.key });
    };
    for (const change of [
      {},
      { challengePassword: '' },
      { challengePassword: 'AAAAA-BBBBB-CCCCC-DDDDD-EEEEE' },
    ]) {
      const answer = await ask(change);
      assert.deepEqual([answer.pkiStatus, answer.failInfo], ['failure', failInfos.badRequest]);
      const { verdict } = await entryOf(authority, answer);
      assert.ok(verdict.objections.some(({ control }) => control === 'authentication'));
    }
    const server = await ScepDevice.make(authority, name(), { template: 'server', deviceClass: 'server' });
    const answer = await ask({ challengePassword: device.secret }, server.client);
    const { verdict } = await entryOf(authority, answer);
    assert.ok(verdict.objections.some(({ control }) => control === 'secret-template'));
    assert.equal(await certificates(device.id), 0);
  });

  test('a used secret is good for its own request alone', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    const thief = makeKey('rsa-2048');
    const content = csrFor(device.id, thief, { challengePassword: device.secret });
    const answer = await device.client.ask({ content, key: thief });
    const { verdict } = await entryOf(authority, answer);
    assert.ok(verdict.objections.some(({ control }) => control === 'secret-unused'));
    assert.equal(answer.pkiStatus, 'failure');
  });

  test('one secret in 20 requests at once gives one certificate', async () => {
    const device = await ScepDevice.make(authority, name());
    const ask = () => {
      const key = makeKey('rsa-2048');
      const content = csrFor(device.id, key, { challengePassword: device.secret });
      return device.client.ask({ content, key });
    };
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    assert.equal(answers.filter(({ pkiStatus }) => pkiStatus === 'success').length, 1);
    assert.equal(await certificates(device.id), 1);
  });

  test('a recorded renewal does not certify a key again that was revoked as compromised', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    const key = makeKey('rsa-2048');
    const content = csrFor(device.id, key);
    const recorded = await device.client.build({
      messageType: '17',
      content,
      key: device.key,
      signer: device.certificate!,
    });
    const renewed = await device.client.post(recorded);
    assert.equal(renewed.pkiStatus, 'success', renewed.text);
    const { items } = await authority.admin.client.perform('listCertificates', { device: device.id });
    const id = items.find(
      (each) => each.logIndex === Math.max(...items.map(({ logIndex }) => logIndex)),
    )!.sha256;
    await authority.admin.client.perform('revokeCertificate', { id, reason: 'keyCompromise' });
    await assertRefused(await device.client.post(recorded), 'badRequest', ['key-unshared']);
  });

  test('a renewal signed by what vouches for nothing: self-signed, foreign, of a CA, of the RA', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    const other = makeKey('rsa-2048');
    const before = await certificates(device.id);
    const copied = signedBy(other, device.certificate!, { spki: other.spki });
    const foreign = signedBy(makeKey(), device.certificate!, { spki: other.spki });
    for (const signer of [selfSigned(other, nameOf(device.id)), copied, foreign]) {
      const answer = await device.client.ask({
        messageType: '17',
        content: csrFor(device.id, other),
        key: other,
        signer,
      });
      assert.equal(answer.pkiStatus, 'failure');
    }
    // The RA's key is the authority's own, and asks for nothing all the same.
    const files = path.join(authority.directory, 'keys/ra.key.pem');
    const passphrase = (await readFile(path.join(authority.directory, 'secrets/passphrase'), 'utf8')).trim();
    const privateKey = createPrivateKey({ key: await readFile(files), passphrase });
    const ra = { algorithm: 'rsa-2048' as const, privateKey, spki: new Uint8Array(device.client.ra.spki) };
    const answer = await device.client.ask({
      messageType: '17',
      content: csrFor(device.id, ra),
      key: ra,
      signer: device.client.ra,
    });
    const { verdict } = await entryOf(authority, answer);
    assert.equal(answer.pkiStatus, 'failure');
    assert.ok(verdict.objections.length > 0);
    assert.equal(await certificates(device.id), before);
  });

  test('a renewal with a revoked, an expired and another template’s certificate', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    const other = await ScepDevice.make(authority, name(), { template: 'server', deviceClass: 'server' });
    const foreignTemplate = await other.client.ask({
      messageType: '17',
      content: csrFor(device.id, device.key),
      key: device.key,
      signer: device.certificate!,
    });
    assert.equal(foreignTemplate.failInfo, failInfos.badCertId, foreignTemplate.text);
    const { items } = await authority.admin.client.perform('listCertificates', { device: device.id });
    await authority.admin.client.perform('revokeCertificate', {
      id: items[0]!.sha256,
      reason: 'superseded',
    });
    await assertRefused(await device.renew(), 'badCertId', ['renewal-unrevoked']);
    // A secret in it changes nothing: who signs with a certificate of ours is judged by it.
    const secret = await authority.admin.secret(device.id);
    const content = csrFor(device.id, device.key, { challengePassword: secret });
    await assertRefused(await device.renew({ content }), 'badCertId', ['renewal-unrevoked']);
  });

  test('a certificate that names another device renews nothing for it', async () => {
    const [one, two] = [
      await ScepDevice.enrolled(authority, name()),
      await ScepDevice.enrolled(authority, name()),
    ];
    const answer = await one.renew({ content: csrFor(two.id, one.key) });
    const { verdict } = await entryOf(authority, answer);
    assert.equal(answer.pkiStatus, 'failure');
    assert.ok(verdict.objections.some(({ control }) => control === 'renewal-names'));
  });

  test('an expired certificate', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    authority.advance(366 * 86_400_000);
    const answer = await device.renew();
    const { verdict } = await entryOf(authority, answer);
    assert.deepEqual([answer.pkiStatus, answer.failInfo], ['failure', failInfos.badCertId]);
    assert.ok(verdict.objections.some(({ control }) => control === 'renewal-unexpired'));
  });

  test('a secret is in no entry', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    const all = JSON.stringify(await entriesOf(authority));
    assert.ok(all.includes(device.id));
    assert.ok(!all.includes(device.secret));
  });
});

/** The certificate anew, by another issuer's key. */
function signedBy(
  issuer: ReturnType<typeof makeKey>,
  { serialNumber, issuer: issuerName, subject, notBefore, notAfter }: Certificate,
  { spki }: { spki: Uint8Array },
): Certificate {
  const tbs = encodeTbsCertificate({
    serialNumber,
    signatureAlgorithm: issuer.algorithm,
    issuer: encodeName(issuerName),
    subject,
    notBefore,
    notAfter,
    spki,
    extensions: [],
  });
  return parseCertificate(assembleSigned(tbs, issuer.algorithm, sign('sha256', tbs, issuer.privateKey)));
}
