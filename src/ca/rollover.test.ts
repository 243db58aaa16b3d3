import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateSoftwareKey, type SoftwareKey } from '#keys';
import { buildName, type Certificate, type Der } from '#x509';
import { ceremony } from './ceremony.ts';
import { day, exampleAuthority, noon, serialNumber } from './example-authority.fixture.ts';
import { loadIssuer } from './issuer.ts';

interface Root {
  readonly certificate: Certificate;
  readonly key: SoftwareKey;
}

const { issuer, issuerKey, rootKey } = await exampleAuthority();
const current: Root = { certificate: issuer.chain[0]!, key: rootKey };

async function makeRoot(commonName: string, days: number): Promise<Root> {
  const key = await generateSoftwareKey('ec-p256');
  const subject = buildName([{ type: 'commonName', value: commonName }]);
  const life = { notBefore: noon - day, notAfter: noon + days * day };
  const certificate = await ceremony.createRoot({ subject, key, serialNumber: serialNumber(), ...life });
  return { certificate, key };
}

/** The name and key of `subject`, certified by `by`. */
async function cross(subject: Root, by: Root): Promise<Certificate> {
  return ceremony.signIssuer({
    root: by,
    subject: subject.certificate.subject,
    key: subject.key,
    serialNumber: serialNumber(),
    notBefore: noon - day,
    notAfter: noon + 100 * day,
    crlUrls: [],
    caIssuersUrls: [],
  });
}

const load = (...rollover: readonly Pick<Certificate, 'der'>[]) =>
  loadIssuer({
    name: 'devices',
    certificate: issuer.certificate.der,
    chain: [current.certificate.der],
    rollover: rollover.map(({ der }) => der),
    key: issuerKey,
  });
const assertRefused = (loading: Promise<unknown>, message: RegExp) =>
  assert.rejects(loading, { code: 'config', message });

const old = await makeRoot('Old root', 200);
const oldWithNew = await cross(old, current);
const newWithOld = await cross(current, old);
const oldIssuing = await cross(await makeRoot('Old issuing CA', 200), old);

test('OldWithOld, OldWithNew, NewWithOld and a CA below the old root load, in their order', async () => {
  const list = [old.certificate, oldWithNew, newWithOld, oldIssuing];
  const { rollover } = await load(...list);
  const bytes = (der: Der) => Buffer.from(der);
  assert.deepEqual(
    rollover.map(({ der }) => bytes(der)),
    list.map(({ der }) => bytes(der)),
  );
});

test('OldWithOld needs one of the other two, and either is enough', async () => {
  await load(old.certificate, oldWithNew);
  await load(old.certificate, newWithOld);
  await assertRefused(load(old.certificate), /has nothing to do with that of the chain/u);
  const stranger = await makeRoot('Stranger', 200);
  const strangers = await cross(stranger, stranger);
  await assertRefused(load(old.certificate, oldWithNew, strangers), /has nothing to do with/u);
});

test('a root that does not end before the current one is refused: clients would take it for that', async () => {
  for (const days of [3650, 3651]) {
    const late = await makeRoot('Late root', days);
    const loading = load(late.certificate, await cross(late, current));
    await assertRefused(loading, /does not end before that of the chain/u);
  }
});

test('what is signed by nobody here is refused', async () => {
  await assertRefused(load(newWithOld), /is signed by none/u);
  const { certificate } = await makeRoot('Somebody', 200);
  const foreign = await cross(old, { certificate, key: old.key });
  await assertRefused(load(foreign), /is signed by none/u);
});

test('what stands twice, or in the chain already, is refused', async () => {
  await assertRefused(load(old.certificate, oldWithNew, oldWithNew), /stands twice/u);
  await assertRefused(load(current.certificate), /stands twice, or in the chain/u);
});

test('an end entity is refused', async () => {
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
  await assertRefused(load(listener), /is not a certification authority/u);
});
