import { generateSoftwareKey, type KeyAlgorithm, keyAlgorithms } from '#keys';
import { derToPem, verifyCertificateSignature } from '#x509';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { requireClient } from '../../test/clients.ts';
import { issueCrl } from './crl.ts';
import {
  day,
  exampleAuthority,
  type ExampleAuthority,
  examplePlan,
  exampleVerdict,
  noon,
} from './example-authority.fixture.ts';
import { issue } from './issue.ts';
import { loadIssuer } from './issuer.ts';
import { lint } from './lint.ts';
import { mintMandate } from './mandate.ts';
import { buildTbs, type IssuePlan } from './tbs.ts';

const { spki } = await generateSoftwareKey('ec-p256');

async function issued({ issuer }: Pick<ExampleAuthority, 'issuer'>, changes: Partial<IssuePlan> = {}) {
  const plan = examplePlan(spki, changes);
  return issue(issuer, mintMandate(exampleVerdict(), lint(buildTbs(plan, issuer), plan, issuer)));
}

/** Debian's OpenSSL 3.0 knows nothing of ML-DSA. */
function opensslKnows(openssl: string, algorithm: KeyAlgorithm): boolean {
  if (!algorithm.startsWith('ml-dsa')) return true;
  return /ML-DSA/iu.test(execFileSync(openssl, ['list', '-signature-algorithms'], { encoding: 'utf8' }));
}

/** Files that last as long as the test. */
function folderOf(t: TestContext, files: Record<string, string>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ca-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
}

async function written(
  t: TestContext,
  authority: ExampleAuthority,
  leaf: Uint8Array,
  revoked: readonly string[] = [],
) {
  const { issuer, rootKey } = authority;
  const root = issuer.chain[0];
  assert.ok(root);
  const rootIssuer = await loadIssuer({ name: 'root', certificate: root.der, chain: [], key: rootKey });
  const update = { number: 1n, thisUpdate: noon, nextUpdate: noon + day };
  const { der: crl } = await issueCrl(issuer, {
    ...update,
    revoked: [revoked.map((serialNumber) => ({ serialNumber, revokedAt: noon, reason: 'keyCompromise' }))],
  });
  const { der: rootCrl } = await issueCrl(rootIssuer, { ...update, revoked: [] });
  return folderOf(t, {
    'root.pem': derToPem(root.der, 'CERTIFICATE'),
    'issuer.pem': derToPem(issuer.certificate.der, 'CERTIFICATE'),
    'leaf.pem': derToPem(leaf, 'CERTIFICATE'),
    'crls.pem': derToPem(crl, 'X509 CRL') + derToPem(rootCrl, 'X509 CRL'),
  });
}

function opensslVerify(openssl: string, file: (name: string) => string): string {
  const time = String(noon / 1000 + 60);
  const trust = ['-CAfile', file('root.pem'), '-untrusted', file('issuer.pem'), '-CRLfile', file('crls.pem')];
  const checks = [
    '-x509_strict',
    '-crl_check_all',
    '-policy_check',
    '-purpose',
    'sslclient',
    '-attime',
    time,
  ];
  return execFileSync(openssl, ['verify', ...checks, ...trust, file('leaf.pem')], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

for (const algorithm of keyAlgorithms) {
  test(`${algorithm}: OpenSSL, GnuTLS and Node accept what the issuer signs`, async (t) => {
    const authority = await exampleAuthority(algorithm);
    const { issuer } = authority;
    const certificate = await issued(authority);
    assert.ok(verifyCertificateSignature(certificate, issuer.certificate.spki));

    await t.test('Node', () => {
      const byNode = new X509Certificate(certificate.der);
      const issuerByNode = new X509Certificate(issuer.certificate.der);
      assert.ok(byNode.checkIssued(issuerByNode));
      assert.ok(
        byNode.verify(createPublicKey({ key: Buffer.from(issuer.key.spki), format: 'der', type: 'spki' })),
      );
      assert.equal(byNode.ca, false);
      assert.equal(byNode.serialNumber.toLowerCase(), certificate.serialNumber);
      assert.equal(byNode.subjectAltName, 'DNS:sensor-7.example.org, URI:urn:device:sensor-7');
    });

    const file = await written(t, authority, certificate.der);
    await t.test('openssl verify -x509_strict', (t) => {
      const openssl = requireClient(t, 'openssl');
      if (openssl === null) return;
      if (!opensslKnows(openssl, algorithm)) {
        t.skip(`this openssl has no ${algorithm}`);
        return;
      }
      assert.match(opensslVerify(openssl, file), /leaf\.pem: OK/u);
    });

    await t.test('certtool', (t) => {
      const certtool = requireClient(t, 'certtool');
      if (certtool === null) return;
      const printed = execFileSync(certtool, ['--certificate-info', '--infile', file('leaf.pem')], {
        encoding: 'utf8',
      });
      assert.match(printed, /Subject: serialNumber=SN 4711,CN=sensor-7,O=Example/u);
      assert.match(printed, /Certificate Authority \(CA\): FALSE/u);
    });
  });
}

test('an empty subject with a critical SAN verifies strictly too', async (t) => {
  const openssl = requireClient(t, 'openssl');
  if (openssl === null) return;
  const authority = await exampleAuthority();
  const { der } = await issued(authority, { subject: [] });
  assert.match(opensslVerify(openssl, await written(t, authority, der)), /leaf\.pem: OK/u);
});

test('a revoked certificate is revoked for openssl', async (t) => {
  const openssl = requireClient(t, 'openssl');
  if (openssl === null) return;
  const authority = await exampleAuthority();
  const certificate = await issued(authority);
  const file = await written(t, authority, certificate.der, [certificate.serialNumber]);
  assert.throws(() => opensslVerify(openssl, file), /certificate revoked/u);
});

test('a certificate holds exactly the bytes that were linted', async () => {
  const authority = await exampleAuthority();
  const plan = examplePlan(spki);
  const tbs = buildTbs(plan, authority.issuer);
  const certificate = await issue(
    authority.issuer,
    mintMandate(exampleVerdict(), lint(tbs, plan, authority.issuer)),
  );
  assert.deepEqual(certificate.tbs, tbs);
});

test('a faulty RSA signature is thrown away: one of them would factor the key', async () => {
  const { issuer, issuerKey } = await exampleAuthority('rsa-2048');
  let faulty = false;
  const key = {
    algorithm: issuerKey.algorithm,
    spki: issuerKey.spki,
    async sign(data: Uint8Array) {
      const signature = new Uint8Array(await issuerKey.sign(data));
      if (faulty) signature[7] = (signature[7] ?? 0) ^ 1;
      return signature;
    },
  };
  const chain = issuer.chain.map(({ der }) => der);
  const loaded = await loadIssuer({ name: 'devices', certificate: issuer.certificate.der, chain, key });
  await issued({ issuer: loaded });
  faulty = true;
  await assert.rejects(issued({ issuer: loaded }), { code: 'internal', message: /thrown away/u });
});
