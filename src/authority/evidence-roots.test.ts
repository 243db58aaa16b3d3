import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isSallyportError } from '#errors';
import type { TrustAnchors } from '#evidence';
import { derToPem, formatName, parseCertificate, pemToDer } from '#x509';
import { TestCa } from '../../test/harness/pki.ts';
import { demandLevels, loadTrustAnchors, rootFindings } from './evidence-roots.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 10, 26);
const rootOf = (name: string, notAfter = now + 400 * day) =>
  TestCa.root(name, { notBefore: now - day, notAfter });
const setOf = (name: string, ...roots: readonly TestCa[]): TrustAnchors => ({
  name,
  format: 'tpm',
  level: 'discrete-tpm',
  roots: roots.map(({ certificate }) => Buffer.from(certificate).toString('base64')),
  intermediates: [],
});

const believing = (...roots: string[]) => [{ evidence: { endorsement: { roots } } }];

test('attestation keys that we certify are of the level of every maker that is believed', () => {
  const root = TestCa.root('ours');
  const issuing = root.intermediate('issuing');
  const issuers = [issuing, root].map(({ certificate }) => parseCertificate(certificate));
  const makers = { ...setOf('makers', rootOf('maker')), format: 'endorsement' } as const;
  const cloud = { ...makers, name: 'cloud', level: 'virtual-tpm' } as const;
  const demand = (anchors: TrustAnchors, ...believed: string[]) =>
    demandLevels([anchors, makers, cloud], believing(...believed), issuers);
  const elsewhere = TestCa.root('elsewhere');
  demand(setOf('ours', issuing), 'makers');
  demand(setOf('others', elsewhere), 'makers', 'cloud');
  const ours = [
    setOf('as it is', issuing),
    setOf('by the root above it', root),
    setOf('issued anew', TestCa.root('issuing', { key: issuing.key })),
    // Certified by somebody else as well.
    {
      ...setOf('elsewhere', elsewhere),
      intermediates: setOf('', elsewhere.intermediate('issuing', { key: issuing.key })).roots,
    },
    {
      ...setOf('elsewhere', elsewhere),
      intermediates: setOf('', elsewhere.intermediate('ours', { key: root.key })).roots,
    },
  ];
  for (const anchors of ours) {
    demand(anchors, 'makers');
    assert.throws(
      () => demand(anchors, 'makers', 'cloud'),
      (error) =>
        isSallyportError(error, 'config') &&
        error.message.endsWith('of cloud, which is of level virtual-tpm'),
      anchors.name,
    );
  }
});

test('a finding for each root that nobody knows, and for each that ends within 90 days', () => {
  const [lasting, ending] = [rootOf('lasting'), rootOf('ending', now + 89 * day)];
  const found = rootFindings([setOf('fleet', lasting, ending)], [], [], now);
  const sha256 = new X509Certificate(lasting.certificate).fingerprint256.replaceAll(':', '').toLowerCase();
  assert.deepEqual(found, [
    `attestation.roots.fleet: CN=lasting, SHA-256 ${sha256}, is no root that is known here`,
    ...found.slice(1),
  ]);
  assert.deepEqual(
    found.slice(1).map((words) => words.replace(/SHA-256 [0-9a-f]{64}/, 'it')),
    [
      'attestation.roots.fleet: CN=ending, it, is no root that is known here',
      'attestation.roots.fleet: CN=ending, it, ends on 2027-02-23',
    ],
  );
});

test('a root whose fingerprint the configuration has is known, and no other may be in its files', async () => {
  const own = rootOf('own');
  const sha256 = createHash('sha256').update(own.certificate).digest('hex');
  assert.deepEqual(rootFindings([setOf('fleet', own)], [], [sha256], now), []);
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-roots-'));
  try {
    const file = path.join(folder, 'own.pem');
    await writeFile(file, own.pem);
    const load = (fingerprints: readonly string[] | null) =>
      loadTrustAnchors({
        attestation: {
          roots: [
            {
              name: 'fleet',
              format: 'tpm',
              level: 'discrete-tpm',
              files: [file],
              intermediateFiles: [],
              fingerprints,
            },
          ],
        },
      });
    for (const fingerprints of [null, [sha256], ['00'.repeat(32), sha256]]) {
      assert.equal((await load(fingerprints)).length, 1);
    }
    await assert.rejects(load(['00'.repeat(32)]), (error) => {
      assert.ok(isSallyportError(error, 'config'));
      assert.equal(
        error.message,
        `attestation.roots.fleet: fingerprints has no ${sha256}, which its files hold`,
      );
      return true;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('an issuer of ours is known, and its end is said all the same', () => {
  const [ours, ending] = [rootOf('ours'), rootOf('ending', now + day)];
  const issuers = [ours, ending].map(({ certificate }) => parseCertificate(certificate));
  assert.deepEqual(rootFindings([setOf('fleet', ours)], issuers, [], now), []);
  const [finding, ...more] = rootFindings([setOf('fleet', ending)], issuers, [], now);
  assert.match(finding!, /ends on 2026-11-27$/);
  assert.deepEqual(more, []);
});

test('however many there are, the findings fit into an entry', () => {
  const subject = Array.from({ length: 30 }, () => ({ type: 'organizationName', value: 'x'.repeat(60) }));
  const long = TestCa.root('', { subject, notBefore: now - day, notAfter: now + day });
  const sets = Array.from({ length: 40 }, (_, at) => setOf(`${'n'.repeat(60)}-${at}`, long));
  const found = rootFindings(sets, [], [], now);
  assert.equal(found.length, 17);
  assert.match(found.at(-1)!, /64 times more: see sallyport roots list$/);
  assert.ok(Buffer.byteLength(JSON.stringify(found)) < 8192);
});

const data = path.join(import.meta.dirname, '../../../shared/data');
const skip = existsSync(data) ? false : `${data} is not here`;

test(
  "a vendor's root is of its own format and level, whatever the configuration says",
  { skip },
  async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-roots-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const amd = pemToDer(readFileSync(path.join(data, 'tpm/vendor-roots.pem'), 'utf8'), 'CERTIFICATE').find(
      (der) => formatName(parseCertificate(der).subject).startsWith('CN=AMDTPM'),
    )!;
    const file = path.join(folder, 'amd.pem');
    await writeFile(file, derToPem(amd, 'CERTIFICATE'));
    const load = (format: TrustAnchors['format'], level: TrustAnchors['level']) =>
      loadTrustAnchors({
        attestation: {
          roots: [{ name: 'amd', format, level, files: [file], intermediateFiles: [], fingerprints: null }],
        },
      });
    assert.equal((await load('endorsement', 'firmware-tpm')).length, 1);
    for (const [format, level, words] of [
      ['tpm', 'firmware-tpm', /^attestation\.roots\.amd: .* vouches for endorsement, and not for tpm$/],
      ['endorsement', 'discrete-tpm', /of level firmware-tpm, and not discrete-tpm$/],
    ] as const) {
      await assert.rejects(load(format, level), (error) => {
        assert.ok(isSallyportError(error, 'config'));
        assert.match(error.message, words);
        return true;
      });
    }
  },
);
