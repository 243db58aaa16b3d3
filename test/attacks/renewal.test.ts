import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import {
  assembleSigned,
  buildName,
  type Der,
  encodeBasicConstraints,
  encodeName,
  encodeTbsCertificate,
  extensionOids,
  parseCertificate,
  pemToDer,
} from '#x509';
import { authorityInProcess, type TestAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, csrFor, renewalCsr, makeKey } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';

const day = 86_400_000;

/** A certificate in wrong hands, or a wrong certificate: what can be renewed with it? RFC 7030 section 4.2.2. */
describe('renewal', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  let devices = 0;
  async function enrolled(of: TestAuthority = authority, deviceClass = 'laptop', template = 'device') {
    const id = `device-${(devices += 1)}`;
    await of.admin.device(id, {
      deviceClass,
      approveFor: [template],
      identifiers: { dnsName: `${id}.example.org` },
    });
    const secret = await of.admin.secret(id, template);
    const key = makeKey();
    const answer = await est({
      url: `${of.est}/${template}/simpleenroll`,
      body: base64(csrFor(id, key)),
      user: [id, secret],
      trust: of.trustPem,
    });
    assert.equal(answer.status, 200, answer.text);
    return { id, key, certificate: answer.certificates[0]! };
  }

  const renew = (
    client: { id: string; key: ClientKey; certificate: Der },
    csr: Uint8Array,
    label = '/device',
  ) =>
    est({
      url: `${authority.est}${label}/simplereenroll`,
      body: base64(csr),
      client,
      trust: authority.trustPem,
    });

  test('needs no secret and no approval with the current certificate, and keeps its predecessor in the log', async () => {
    const client = await enrolled();
    const answer = await renew(client, renewalCsr(client.certificate, makeKey()));
    assert.equal(answer.status, 200, answer.text);
    const { items } = await authority.admin.client.perform('listCertificates', { device: client.id });
    assert.equal(items.length, 2);
    assert.equal(items.filter(({ predecessor }) => predecessor !== null).length, 1);
  });

  test('is decided by the credential: simpleenroll with the certificate renews', async () => {
    const client = await enrolled();
    const url = `${authority.est}/device/simpleenroll`;
    const answer = await est({
      url,
      body: base64(renewalCsr(client.certificate, client.key)),
      client,
      trust: authority.trustPem,
    });
    assert.equal(answer.status, 200, answer.text);
  });

  test('is refused with a revoked certificate', async () => {
    const client = await enrolled();
    const [stored] = (await authority.admin.client.perform('listCertificates', { device: client.id })).items;
    await authority.admin.client.perform('revokeCertificate', {
      id: stored!.sha256,
      reason: 'superseded',
    });
    await assertRefused(authority, await renew(client, renewalCsr(client.certificate, client.key)), 403, [
      'renewal-unrevoked',
    ]);
  });

  test('is refused with an expired certificate', async () => {
    const own = await authorityInProcess(cleanup);
    const client = await enrolled(own);
    own.advance(366 * day);
    const url = `${own.est}/device/simplereenroll`;
    const answer = await est({
      url,
      body: base64(renewalCsr(client.certificate, client.key)),
      client,
      trust: own.trustPem,
    });
    await assertRefused(own, answer, 403, ['renewal-unexpired']);
  });

  test('is refused with a certificate of another template', async () => {
    const client = await enrolled(authority, 'server', 'server');
    const answer = await renew(client, renewalCsr(client.certificate, client.key), '/device');
    await assertRefused(authority, answer, 403, ['renewal-template']);
  });

  test('is refused for other names than those of the certificate', async () => {
    const client = await enrolled();
    const answer = await renew(client, csrFor('laptop-of-the-ceo', client.key));
    await assertRefused(authority, answer, 400, ['renewal-names', 'request-subject']);
  });

  test('is refused for a device that was suspended, and open again when it is resumed', async () => {
    const client = await enrolled();
    await authority.admin.client.perform('suspendDevice', { id: client.id });
    await assertRefused(authority, await renew(client, renewalCsr(client.certificate, client.key)), 403, [
      'device-state',
    ]);
    await authority.admin.client.perform('resumeDevice', { id: client.id });
    assert.equal((await renew(client, renewalCsr(client.certificate, client.key))).status, 200);
  });

  test('is refused with a certificate of another authority, for it names no device here', async () => {
    const other = await authorityInProcess(cleanup);
    const foreign = await enrolled(other);
    const answer = await renew(foreign, renewalCsr(foreign.certificate, foreign.key));
    const entry = await assertForeign(answer);
    assert.match(reasonOf(entry, 'renewal-issued-here'), /not issued by this authority/);
  });

  test('is refused with a self-signed certificate that names a device', async () => {
    const client = await enrolled();
    const key = makeKey();
    const certificate = makeCertificate({
      subject: client.id,
      issuer: encodeName(buildName([{ type: 'commonName', value: client.id }])),
      key,
      signer: key,
    });
    const entry = await assertForeign(await renew({ ...client, key, certificate }, csrFor(client.id, key)));
    assert.match(reasonOf(entry, 'renewal-issued-here'), /self-signed/);
  });

  test('is refused with a certificate that our key signed and our log does not know', async () => {
    const client = await enrolled();
    const { certificate: ca, key: caKey } = await issuingCa(authority);
    const key = makeKey();
    const certificate = makeCertificate({ subject: client.id, issuer: ca.subjectDer, key, signer: caKey });
    const answer = await renew({ ...client, key, certificate }, csrFor(client.id, key));
    assert.equal(answer.status, 403, answer.text);
    const entry = await refusalOf(answer);
    const controls = entry.verdict.objections.map(({ control }) => control);
    assert.ok(controls.includes('renewal-known'));
    assert.ok(!controls.includes('renewal-issued-here'));
  });

  test('is refused with the issuing CA’s own certificate', async () => {
    const { certificate, key } = await issuingCa(authority);
    const answer = await renew({ id: 'ca', key, certificate: certificate.der }, csrFor('ca', key));
    assert.equal(answer.status, 403, answer.text);
    const entry = await refusalOf(answer);
    assert.ok(entry.verdict.objections.some(({ control }) => control === 'renewal-end-entity'));
  });

  test('is refused without a client certificate', async () => {
    const answer = await est({
      url: `${authority.est}/simplereenroll`,
      body: base64(csrFor('x', makeKey())),
      trust: authority.trustPem,
    });
    assert.equal(answer.status, 403, answer.text);
  });

  async function refusalOf(answer: Awaited<ReturnType<typeof est>>) {
    const code = /R(?:-[0-9A-Z]{4}){4}/.exec(answer.text)![0];
    const { entry } = await authority.admin.entry(code);
    return entry as unknown as Awaited<ReturnType<typeof assertRefused>>;
  }

  /** What no device stands behind is objected to by every control that would have to know the device. */
  async function assertForeign(answer: Awaited<ReturnType<typeof est>>) {
    assert.equal(answer.status, 403, answer.text);
    const entry = await refusalOf(answer);
    const controls = new Set(entry.verdict.objections.map(({ control }) => control));
    for (const control of ['renewal-issued-here', 'renewal-known', 'device-known']) {
      assert.ok(controls.has(control), control);
    }
    return entry;
  }
});

type Refusal = Awaited<ReturnType<typeof assertRefused>>;

function reasonOf(entry: Refusal, control: string): string {
  return entry.verdict.objections.find((objection) => objection.control === control)?.detail ?? '';
}

async function issuingCa({ directory }: TestAuthority) {
  const file = (name: string) => readFile(path.join(directory, name), 'utf8');
  const passphrase = (await file('secrets/passphrase')).trim();
  const privateKey = createPrivateKey({ key: await file('keys/issuing.key.pem'), passphrase });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const key: ClientKey = { algorithm: 'ec-p256', privateKey, spki };
  return { certificate: parseCertificate(pemToDer(await file('pki/issuing.pem'), 'CERTIFICATE')[0]!), key };
}

function makeCertificate(settings: { subject: string; issuer: Der; key: ClientKey; signer: ClientKey }): Der {
  const tbs = encodeTbsCertificate({
    serialNumber: '6f'.repeat(16),
    signatureAlgorithm: settings.signer.algorithm,
    issuer: settings.issuer,
    subject: buildName([{ type: 'commonName', value: settings.subject }]),
    notBefore: Date.now() - day,
    notAfter: Date.now() + day,
    spki: settings.key.spki,
    extensions: [
      { oid: extensionOids.basicConstraints, critical: true, value: encodeBasicConstraints({ ca: false }) },
    ],
  });
  return assembleSigned(tbs, settings.signer.algorithm, sign('sha256', tbs, settings.signer.privateKey));
}
