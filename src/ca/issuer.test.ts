import { generateSoftwareKey } from '#keys';
import { assembleSigned, buildName } from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ceremony } from './ceremony.ts';
import { day, exampleAuthority, noon, serialNumber } from './example-authority.fixture.ts';
import { isLoadedIssuer, loadIssuer } from './issuer.ts';

const { issuer, issuerKey, rootKey } = await exampleAuthority();
const [root] = issuer.chain;
assert.ok(root);
const parts = { name: 'devices', certificate: issuer.certificate.der, chain: [root.der], key: issuerKey };

test('an issuer whose key, certificate and chain belong together loads, frozen', async () => {
  const loaded = await loadIssuer(parts);
  assert.ok(isLoadedIssuer(loaded));
  assert.ok(!isLoadedIssuer({ ...loaded }));
  assert.throws(() => Object.assign(loaded, { key: rootKey }), TypeError);
});

test('a root may issue by itself: its chain is empty', async () => {
  const loaded = await loadIssuer({ name: 'root', certificate: root.der, chain: [], key: rootKey });
  assert.deepEqual(loaded.chain, []);
});

test('the key of another certificate is refused', async () => {
  await assert.rejects(loadIssuer({ ...parts, key: rootKey }), { code: 'key' });
});

test('a key that shows the right public key and signs with another is refused', async () => {
  const liar = {
    algorithm: issuerKey.algorithm,
    spki: issuerKey.spki,
    sign: (data: Uint8Array) => rootKey.sign(data),
  };
  await assert.rejects(loadIssuer({ ...parts, key: liar }), { code: 'key' });
});

test('an end entity cannot issue', async () => {
  const key = await generateSoftwareKey('ec-p256');
  const listener = await ceremony.signListener({
    issuer,
    subject: buildName([{ type: 'commonName', value: 'listener' }]),
    subjectAltName: [{ kind: 'dns', value: 'listener.example.org' }],
    spki: key.spki,
    serialNumber: serialNumber(),
    notBefore: noon,
    notAfter: noon + day,
    crlUrls: [],
    caIssuersUrls: [],
  });
  const chain = [issuer.certificate.der, root.der];
  await assert.rejects(loadIssuer({ name: 'x', certificate: listener.der, chain, key }), {
    code: 'config',
    message: /not a certification authority/u,
  });
});

test('a chain that is incomplete, out of order or of another authority is refused', async () => {
  const { issuer: other } = await exampleAuthority();
  const [otherRoot] = other.chain;
  assert.ok(otherRoot);
  await assert.rejects(loadIssuer({ ...parts, chain: [] }), { code: 'config' });
  await assert.rejects(loadIssuer({ ...parts, chain: [issuer.certificate.der, root.der] }), {
    code: 'config',
  });
  await assert.rejects(loadIssuer({ ...parts, chain: [otherRoot.der] }), { code: 'bad-signature' });
});

test('a certificate that its root did not sign is refused', async () => {
  const { tbs } = issuer.certificate;
  const forged = assembleSigned(tbs, 'ec-p256', await issuerKey.sign(tbs));
  await assert.rejects(loadIssuer({ ...parts, certificate: forged }), { code: 'bad-signature' });
});
