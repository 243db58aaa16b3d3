import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { encodeEntry } from '#audit';
import { ceremony, type Issuer, loadIssuer, randomSerialNumber } from '#ca';
import { initialConfiguration, parseConfiguration } from '#config';
import type { Authority } from '#enrollment';
import { generateSoftwareKey } from '#keys';
import { createSqlite } from '#storage';
import { buildName, type Certificate, extendedKeyUsages } from '#x509';
import { endingCertificates } from './ending-certificates.ts';
import { ListenerCertificates } from './listener-certificates.ts';

const day = 86_400_000;
const begin = Date.UTC(2026, 10, 26, 12);
const random = (n: number) => randomBytes(n);
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** Of the listener that `init` makes. */
const configurationWith = (names: string, issuer = 'issuing') =>
  parseConfiguration(
    Buffer.from(
      initialConfiguration({ name: 'Example' }).replace(
        'certificate: pki/listener.pem',
        `issued: { issuer: ${issuer}, names: [${names}] }`,
      ),
    ),
    '/srv/ca/sallyport.yaml',
  );

async function issuerOf(days: number): Promise<Issuer> {
  const key = await generateSoftwareKey('ec-p256');
  const root = await ceremony.createRoot({
    subject: buildName([{ type: 'commonName', value: 'Root' }]),
    key,
    serialNumber: randomSerialNumber(random),
    notBefore: begin - day / 24,
    notAfter: begin + days * day,
  });
  return loadIssuer({ name: 'issuing', certificate: root.der, chain: [], key });
}

/** An issuer of so many days, and a store that nodes share. */
async function openWorld(t: TestContext, issuerDays = 3650) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-listener-'));
  const storage = await createSqlite({ file: path.join(folder, 'sallyport.db'), origin: 'test.example/log' });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true });
  });
  const world = { now: begin, issuer: await issuerOf(issuerDays), names: 'ca.example.org, 10.0.0.5' };
  const state = (key: KeyObject) => {
    const inForce = { issuer: world.issuer, crlUrls: [], caIssuersUrls: [], next: null };
    return {
      configuration: configurationWith(world.names),
      transportKeys: new Map([['enroll', key]]),
      authority: { issuers: new Map([['issuing', inForce]]) } as unknown as Authority,
    };
  };
  const nodeNamed = (node: string | null) =>
    new ListenerCertificates({ store: storage.admin, clock: { now: () => world.now }, random, node });
  const start = async (key: KeyObject, node: string | null = null) => {
    const certificates = nodeNamed(node);
    await certificates.start(state(key));
    const of = () => certificates.inForce.get('enroll')!;
    /** As the job does it; returns what was put in force, and what failed. */
    const renew = async (another = key) => {
      const put: Certificate[] = [];
      const { faults } = await certificates.renew(state(another), async (listener, chosen) => {
        return () => void put.push(chosen.get(listener)!);
      });
      return { put, faults };
    };
    return { certificates, of, renew };
  };
  const entries = async () => (await storage.log.head()).size;
  const revoked = async () =>
    (await Array.fromAsync(storage.admin.revoked('issuing', begin))).flat().map((each) => each.serialNumber);
  return { world, state, start, entries, revoked, admin: storage.admin };
}

const serial = ({ serialNumber }: Certificate) => serialNumber;

suite('the certificate of a listener', () => {
  test('is there from the first start on, of its key and names, with an entry; and the same at the next', async (t) => {
    const { start, entries } = await openWorld(t);
    const key = newKey();
    const certificate = (await start(key)).of();
    assert.deepEqual(
      certificate.subjectAltName.map(({ kind, value }) => [kind, value]),
      [
        ['dns', 'ca.example.org'],
        ['ip', '10.0.0.5'],
      ],
    );
    assert.deepEqual(certificate.extendedKeyUsage, [extendedKeyUsages.serverAuth]);
    assert.equal(certificate.notAfter, begin + 90 * day);
    assert.equal(await entries(), 1);
    assert.equal(serial((await start(key)).of()), serial(certificate));
    assert.equal(await entries(), 1);
  });

  test('is renewed when a third of its life is left, and put in force once', async (t) => {
    const { world, start, entries, revoked } = await openWorld(t);
    const { of, renew } = await start(newKey());
    const first = of();
    world.now += 60 * day;
    assert.deepEqual(await renew(), { put: [], faults: [] });
    world.now += day / 24;
    const { put, faults } = await renew();
    assert.deepEqual(faults, []);
    assert.deepEqual(put, [of()]);
    assert.notEqual(serial(of()), serial(first));
    assert.deepEqual(await renew(), { put: [], faults: [] });
    assert.equal(await entries(), 2);
    // The key is the same: the one before ends by itself.
    assert.deepEqual(await revoked(), []);
  });

  test('ends with its issuer, is not issued again and again, and somebody is told', async (t) => {
    const { world, state, start, entries } = await openWorld(t, 50);
    const key = newKey();
    const { certificates, of, renew } = await start(key);
    assert.equal(of().notAfter, begin + 50 * day);
    const { configuration, authority } = state(key);
    const told = () => endingCertificates(configuration, authority, certificates.inForce, world.now);
    assert.deepEqual(await told(), []);
    world.now += 49 * day;
    assert.deepEqual(await renew(), { put: [], faults: [] });
    assert.equal(await entries(), 1);
    assert.match((await told()).join(), /listener enroll ends on .*: issuer issuing ends with it/);
    world.now += day;
    await assert.rejects(start(newKey()), {
      code: 'config',
      message: /listener enroll: issuer issuing has ended/,
    });
  });

  test('of other names is another one, and the one before is there when the names are again', async (t) => {
    const { world, start, entries } = await openWorld(t);
    const key = newKey();
    const first = (await start(key)).of();
    world.names = 'ca.example.org';
    const second = (await start(key)).of();
    assert.deepEqual(
      second.subjectAltName.map(({ value }) => value),
      ['ca.example.org'],
    );
    world.names = '10.0.0.5, CA.Example.org';
    assert.equal(serial((await start(key)).of()), serial(first));
    assert.equal(await entries(), 2);
  });

  test('of another issuer is another one', async (t) => {
    const { world, start } = await openWorld(t);
    const key = newKey();
    const first = (await start(key)).of();
    world.issuer = await issuerOf(3650);
    assert.notEqual(serial((await start(key)).of()), serial(first));
  });

  test('of another key revokes those of the one before', async (t) => {
    const { world, start, revoked } = await openWorld(t);
    const old = newKey();
    const first = (await start(old)).of();
    world.names = 'ca.example.org';
    const second = (await start(old)).of();
    const other = (await start(newKey())).of();
    assert.deepEqual(new Set(await revoked()), new Set([serial(first), serial(second)]));
    // The old key once more: what was revoked does not come back.
    const again = (await start(old)).of();
    assert.ok(![serial(first), serial(second)].includes(serial(again)));
    assert.ok((await revoked()).includes(serial(other)));
  });

  test('is of one node: another one with a key of its own, or with the same, has another and revokes nothing', async (t) => {
    const { start, revoked } = await openWorld(t);
    const key = newKey();
    const one = (await start(key, 'node-1')).of();
    const two = (await start(newKey(), 'node-2')).of();
    const three = (await start(key, 'node-3')).of();
    assert.equal(new Set([one, two, three].map(serial)).size, 3);
    assert.deepEqual(await revoked(), []);
    assert.equal(serial((await start(key, 'node-1')).of()), serial(one));
  });

  test('that two processes of one node choose at once is saved once', async (t) => {
    const { start, entries } = await openWorld(t);
    const key = newKey();
    const [one, two] = await Promise.all([start(key), start(key)]);
    assert.equal(serial(one.of()), serial(two.of()));
    assert.equal(await entries(), 1);
  });

  test('is renewed by one process, and one of the same name follows', async (t) => {
    const { world, start, entries } = await openWorld(t);
    const key = newKey();
    const [one, two] = [await start(key), await start(key)];
    world.now += 61 * day;
    await one.renew();
    assert.equal((await two.renew()).put.length, 1);
    assert.equal(serial(two.of()), serial(one.of()));
    assert.equal(await entries(), 2);
  });

  test('that was chosen before another one came is not saved', async (t) => {
    const { state, start, entries } = await openWorld(t);
    const key = newKey();
    const { certificates } = await start(key);
    const other = state(newKey());
    const chosen = await certificates.choose(other);
    await start(newKey());
    await assert.rejects(certificates.save(chosen), { code: 'conflict' });
    assert.equal(await entries(), 2);
  });

  test('that cannot be renewed stays in force, and the fault says until when', async (t) => {
    const { world, start, entries } = await openWorld(t);
    const key = newKey();
    const { of, renew } = await start(key);
    const first = of();
    world.now += 61 * day;
    const issuer = world.issuer;
    const { algorithm, spki } = issuer.key;
    const sign = () => Promise.reject(new Error('the token is away'));
    world.issuer = { ...issuer, key: { algorithm, spki, sign } };
    const { put, faults } = await renew();
    assert.deepEqual(put, []);
    assert.match(
      String(faults),
      /issuing cannot certify listener enroll: the token is away; the one that it has ends on 2027-02-24/,
    );
    assert.equal(of(), first);
    // At a start it is the same.
    assert.equal(serial((await start(key)).of()), serial(first));
    assert.equal(await entries(), 1);
    world.issuer = issuer;
    assert.equal((await renew()).put.length, 1);
  });

  test('is not had for a key of a kind that nobody certifies', async (t) => {
    const { start, entries } = await openWorld(t);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await assert.rejects(start(key), { code: 'config', message: /cannot certify listener enroll/ });
    assert.equal(await entries(), 0);
  });

  test('is no row of the store that is not of its key, names and issuer', async (t) => {
    const { world, start, admin, entries } = await openWorld(t);
    const key = newKey();
    const own = (await start(key)).of();
    const holder = { node: '', listener: 'enroll' };
    const [row] = await admin.listenerCertificates(holder, begin);
    const other = await openWorld(t);
    const ofOtherIssuer = (await other.start(key)).of();
    world.names = 'elsewhere.example.org';
    const ofOtherNames = (await start(key)).of();
    world.names = 'ca.example.org, 10.0.0.5';
    const ofOtherKey = (await start(newKey(), 'node-2')).of();
    const planted: [serialNumber: string, der: Uint8Array][] = [
      [serial(ofOtherIssuer), ofOtherIssuer.der],
      ['0a', ofOtherNames.der],
      ['0b', ofOtherKey.der],
      ['0c', Uint8Array.of(1, 2, 3)],
      // Its own under another number, by which another one would be revoked.
      ['0d', own.der],
    ];
    for (const [serialNumber, der] of planted) {
      const known = (await admin.listenerCertificates(holder, begin)).map((each) => each.serialNumber);
      await admin.saveListenerCertificates([
        {
          holder,
          certificate: { ...row!, serialNumber, notAfter: own.notAfter + day, der },
          known,
          replaced: [],
          now: begin,
          entry: { bytes: encodeEntry({ id: serialNumber, type: 'test' }), blobs: [] },
        },
      ]);
    }
    const size = await entries();
    assert.equal(serial((await start(key)).of()), serial(own));
    assert.equal(await entries(), size);
  });

  test('is chosen by a reload or by a renewal, one after the other', async (t) => {
    const { start } = await openWorld(t);
    const { certificates } = await start(newKey());
    const done: string[] = [];
    const slow = Promise.withResolvers<void>();
    const first = certificates.exclusively(async () => {
      await slow.promise;
      done.push('first');
      throw new Error('not this one');
    });
    const second = certificates.exclusively(async () => void done.push('second'));
    slow.resolve();
    await assert.rejects(first, /not this one/);
    await second;
    assert.deepEqual(done, ['first', 'second']);
  });
});
