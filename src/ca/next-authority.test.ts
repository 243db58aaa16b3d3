import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateSoftwareKey, type KeyAlgorithm, type SoftwareKey } from '#keys';
import {
  assembleSigned,
  buildName,
  type Certificate,
  encodeKeyUsage,
  encodeTbsCertificate,
  extensionOids,
  parseCertificate,
} from '#x509';
import { ceremony } from './ceremony.ts';
import { day, exampleAuthority, noon, serialNumber } from './example-authority.fixture.ts';
import { type Issuer, loadIssuer } from './issuer.ts';
import { loadNextAuthority } from './next-authority.ts';
import { signRaCertificate } from './ra-certificate.ts';

const { issuer, issuerKey } = await exampleAuthority();
const { notAfter: end } = issuer.certificate;
const named = (commonName: string) => buildName([{ type: 'commonName', value: commonName }]);

interface Successor {
  readonly issuer: Issuer;
  readonly root: Certificate;
}

/** A CA below a root of its own. Its certificates are there while the current one ends, unless it is said otherwise. */
async function successor({
  subject = named('Next CA'),
  key = null as SoftwareKey | null,
  notBefore = noon,
  notAfter = end + 1000 * day,
  rootNotAfter = end + 2000 * day,
} = {}): Promise<Successor> {
  const rootKey = await generateSoftwareKey('ec-p256');
  const own = key ?? (await generateSoftwareKey('ec-p256'));
  const root = await ceremony.createRoot({
    subject: named('Next root'),
    key: rootKey,
    serialNumber: serialNumber(),
    notBefore: noon - day,
    notAfter: rootNotAfter,
  });
  const certificate = await ceremony.signIssuer({
    root: { certificate: root, key: rootKey },
    subject,
    key: own,
    serialNumber: serialNumber(),
    notBefore,
    notAfter,
    crlUrls: [],
    caIssuersUrls: [],
  });
  const parts = { name: 'next', certificate: certificate.der, chain: [root.der], key: own };
  return { issuer: await loadIssuer(parts), root };
}

async function raOf({ issuer: by }: Successor, notBefore = noon, notAfter = end + day): Promise<Certificate> {
  const { spki } = await generateSoftwareKey('rsa-2048');
  const life = { serialNumber: serialNumber(), notBefore, notAfter, crlUrls: [], caIssuersUrls: [] };
  return signRaCertificate({ issuer: by, subject: named('Next RA'), spki, ...life });
}

const next = await successor();
const load = (
  { issuer: { certificate }, root }: Successor,
  { ra = null as Certificate | null, chain = [root] as readonly Certificate[] } = {},
) =>
  loadNextAuthority(issuer, {
    certificate: certificate.der,
    chain: chain.map(({ der }) => der),
    ra: ra?.der ?? null,
  });
const refused = (loading: () => unknown, message: RegExp, code = 'config') =>
  assert.throws(loading, { code, message });

describe('the CA that will follow', () => {
  test('is given with its RA first and its root last', async () => {
    const ra = await raOf(next);
    const { certificates } = load(next, { ra });
    assert.deepEqual(
      certificates.map(({ subject }) => subject[0]![0]!.value),
      ['Next RA', 'Next CA', 'Next root'],
    );
    assert.equal(load(next).certificates.length, 2);
  });

  test('may be a root, or the same CA with a new certificate', async () => {
    const { root } = next;
    loadNextAuthority(issuer, { certificate: root.der, chain: [], ra: null });
    load(await successor({ subject: issuer.certificate.subject, key: issuerKey }));
  });

  test('is no other name for the same key, and not the certificate that is in force', async () => {
    const renamed = await successor({ key: issuerKey });
    refused(() => load(renamed), /gives the key of the issuer another name/);
    const same = { issuer, root: issuer.chain[0]! };
    refused(() => load(same), /is that of the issuer itself/);
  });

  test('is a CA', async () => {
    const ra = await raOf(next);
    const parts = { certificate: ra.der, chain: [next.issuer.certificate.der, next.root.der], ra: null };
    refused(() => loadNextAuthority(issuer, parts), /is not a certification authority/);
  });

  test('has its whole chain, in order', async () => {
    refused(() => load(next, { chain: [] }), /not in order, or the root is not its last/);
    const other = await successor();
    refused(() => load(next, { chain: [other.root] }), /signature of a certificate/, 'bad-signature');
  });

  test('begins before the current one ends, and it and those above it end later', async () => {
    load(await successor({ notBefore: end }));
    const late = await successor({ notBefore: end + 1000 });
    refused(() => load(late), /begins only after that of the issuer has ended/);
    load(await successor({ notAfter: end + 1000 }));
    const short = await successor({ notAfter: end });
    refused(() => load(short), /ends no later than that of the issuer/);
  });
});

describe('its RA', () => {
  test('is issued by it', async () => {
    const other = await successor();
    refused(() => load(next, { ra: next.issuer.certificate }), /certificate of its RA is one of a CA/);
    const ra = await raOf(other);
    refused(() => load(next, { ra }), /is not issued by it/);
  });

  test('is there when the current certificate ends', async () => {
    const ends = await raOf(next, noon, end);
    refused(() => load(next, { ra: ends }), /ends no later/);
    const begins = await raOf(next, end + 1000);
    refused(() => load(next, { ra: begins }), /begins only after/);
  });

  for (const [usage, algorithm, words] of [
    [['digitalSignature'], 'rsa-2048', /must have keyUsage/],
    [['digitalSignature', 'keyEncipherment'], 'ec-p256', /is not RSA/],
  ] as const) {
    test(`of ${algorithm} with ${usage.join(' and ')} is refused: clients encrypt to it`, async () => {
      const ra = await endEntity(next, usage, algorithm);
      refused(() => load(next, { ra }), words);
    });
  }
});

/** What signRaCertificate never signs. */
async function endEntity(
  { issuer: { key, certificate } }: Successor,
  usage: readonly ('digitalSignature' | 'keyEncipherment')[],
  algorithm: KeyAlgorithm,
): Promise<Certificate> {
  const { spki } = await generateSoftwareKey(algorithm);
  const tbs = encodeTbsCertificate({
    serialNumber: serialNumber(),
    signatureAlgorithm: key.algorithm,
    issuer: certificate.subjectDer,
    subject: named('Next RA'),
    notBefore: noon,
    notAfter: end + day,
    spki,
    extensions: [{ oid: extensionOids.keyUsage, critical: true, value: encodeKeyUsage(usage) }],
  });
  return parseCertificate(assembleSigned(tbs, key.algorithm, await key.sign(tbs)));
}
