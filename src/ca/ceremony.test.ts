import { generateSoftwareKey } from '#keys';
import {
  buildName,
  type Certificate,
  extendedKeyUsages,
  extensionOids,
  parseBasicConstraints,
  verifyCertificateSignature,
} from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ceremony } from './ceremony.ts';
import { day, exampleAuthority, noon, serialNumber } from './example-authority.fixture.ts';

const { issuer, rootKey } = await exampleAuthority();
const [root] = issuer.chain;
assert.ok(root);
const key = await generateSoftwareKey('ec-p256');

const issuerRequest = {
  root: { certificate: root, key: rootKey },
  subject: buildName([{ type: 'commonName', value: 'Issuer' }]),
  key,
  notBefore: noon,
  notAfter: noon + day,
  crlUrls: [],
  caIssuersUrls: [],
};

const listenerRequest = {
  issuer,
  subject: [],
  subjectAltName: [
    { kind: 'dns', value: 'localhost' },
    { kind: 'ip', value: '127.0.0.1' },
  ],
  spki: key.spki,
  notBefore: noon,
  notAfter: noon + 90 * day,
  crlUrls: [],
  caIssuersUrls: [],
} as const;

function constraintsOf({ extensions }: Certificate): ReturnType<typeof parseBasicConstraints> {
  const found = extensions.find(({ oid }) => oid === extensionOids.basicConstraints);
  assert.ok(found?.critical);
  return parseBasicConstraints(found.value);
}

test('a root signs itself and may sign certificates and CRLs', () => {
  assert.ok(root);
  assert.deepEqual(root.issuerDer, root.subjectDer);
  assert.ok(verifyCertificateSignature(root, root.spki));
  assert.deepEqual(constraintsOf(root), { ca: true });
  assert.deepEqual(root.keyUsage, ['keyCertSign', 'cRLSign']);
});

test('an issuer certifies end entities only: path length 0 (RFC 5280 section 4.2.1.9)', () => {
  assert.ok(root);
  const { certificate } = issuer;
  assert.deepEqual(constraintsOf(certificate), { ca: true, pathLength: 0 });
  assert.deepEqual(certificate.keyUsage, ['keyCertSign', 'cRLSign']);
  assert.deepEqual(certificate.authorityKeyIdentifier, root.subjectKeyIdentifier);
  assert.ok(verifyCertificateSignature(certificate, root.spki));
});

test('a listener gets a TLS server certificate that passed lint', async () => {
  const certificate = await ceremony.signListener({ ...listenerRequest, serialNumber: serialNumber() });
  assert.deepEqual(certificate.extendedKeyUsage, [extendedKeyUsages.serverAuth]);
  assert.deepEqual(certificate.keyUsage, ['digitalSignature']);
  assert.deepEqual(certificate.subjectAltName, listenerRequest.subjectAltName);
  assert.equal(certificate.isCa, false);
  assert.ok(verifyCertificateSignature(certificate, issuer.certificate.spki));
});

test('lint holds for listeners as for anyone', async () => {
  const wildcard = [{ kind: 'dns', value: '*.example.org' }] as const;
  const wrong = [
    { subjectAltName: wildcard, serialNumber: serialNumber() },
    { serialNumber: '01' },
    { notAfter: noon + 3000 * day, serialNumber: serialNumber() },
    { spki: issuer.key.spki, serialNumber: serialNumber() },
  ];
  for (const changes of wrong) {
    await assert.rejects(ceremony.signListener({ ...listenerRequest, ...changes }), { code: 'lint' });
  }
});

test('an issuer does not outlive its root, is not nameless, and does not end before it begins', async () => {
  const wrong = [
    { notAfter: noon + 4000 * day },
    { notBefore: noon - 2 * day },
    { subject: [] },
    { notBefore: noon + day, notAfter: noon },
  ];
  for (const changes of wrong) {
    await assert.rejects(
      ceremony.signIssuer({ ...issuerRequest, serialNumber: serialNumber(), ...changes }),
      { code: 'lint' },
    );
  }
});

test('a key that does not make its own signatures is found out', async () => {
  const other = await generateSoftwareKey('ec-p256');
  const liar = { algorithm: key.algorithm, spki: key.spki, sign: (data: Uint8Array) => other.sign(data) };
  const request = {
    subject: issuerRequest.subject,
    key: liar,
    serialNumber: serialNumber(),
    notBefore: noon,
    notAfter: noon + day,
  };
  await assert.rejects(ceremony.createRoot(request), { code: 'key' });
});
