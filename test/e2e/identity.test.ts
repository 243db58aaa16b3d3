import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { parseCertificate } from '#x509';
import { type authorityInProcess, sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { base64, type EstAnswer } from '../harness/est-client.ts';
import { entryOf } from '../harness/expect.ts';
import { askWith, authorityWithIdentities } from '../harness/identity-authority.ts';
import { Certified, noEnd, TestCa } from '../harness/pki.ts';

/** A first enrollment without a secret: the device shows an identity that its maker, an MDM or a registration authority gave out. */
describe('an identity from elsewhere', () => {
  const cleanup = suiteCleanup();
  const root = TestCa.root('Example Devices Root', { notAfter: noEnd });
  const maker = root.intermediate('Example Devices CA 1', { notAfter: noEnd });
  const mdmCa = TestCa.root('Example MDM CA');
  const ra = TestCa.root('Example RA CA').registrationAuthority('ra-1');
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityWithIdentities(cleanup, {
      maker: { kind: 'idevid', certificates: [root], templates: ['device', 'server'] },
      fleet: { kind: 'mdm', certificates: [mdmCa], device: 'id', from: ['commonName'] },
      office: { kind: 'ra', certificates: [ra], device: 'id', from: ['commonName'] },
    });
  });
  const perform: typeof authority.admin.client.perform = (name, input) =>
    authority.admin.client.perform(name, input);

  let devices = 0;
  async function device({ approved = true } = {}) {
    const number = (devices += 1);
    const id = `device-${number}`;
    const serialNumber = `SN-${number}`;
    const approveFor = approved ? ['device'] : [];
    await authority.admin.device(id, { approveFor, identifiers: { serialNumber } });
    return { id, serialNumber };
  }
  const enroll = (client: Certified, id: string, more: Parameters<typeof askWith>[3] = {}) =>
    askWith(authority, client, id, more);

  function certificateOf(answer: EstAnswer) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.certificates.length, 1);
    return parseCertificate(answer.certificates[0]!);
  }
  function assertIssued(answer: EstAnswer, id: string): void {
    assert.deepEqual(
      certificateOf(answer)
        .subject.flat()
        .map(({ value }) => value),
      [id],
    );
  }
  async function requestOf(id: string, state: 'pending' | 'approved' | 'issued' = 'pending') {
    const { items } = await perform('listRequests', { state, limit: 1000 });
    const found = items.filter((request) => request.device === id);
    assert.equal(found.length, 1, `${id} has ${found.length} requests that are ${state}`);
    return found[0]!;
  }
  /** The one entry that came since. */
  async function entrySince(from: number) {
    const [entry, ...more] = await requestEntriesOf(authority, from);
    assert.deepEqual(more, []);
    return entry!;
  }

  test('of its maker enrolls a device by its HardwareModuleName', async () => {
    const { id, serialNumber } = await device();
    assertIssued(await enroll(maker.idevid({ hardwareModule: serialNumber }), id), id);
  });

  test('of its maker enrolls a device by a HardwareModuleName that is no text, in hex', async () => {
    const id = 'device-of-octets';
    await authority.admin.device(id, {
      approveFor: ['device'],
      identifiers: { serialNumber: 'hex:00a1ff20' },
    });
    const hardwareModule = Uint8Array.of(0x00, 0xa1, 0xff, 0x20);
    assertIssued(await enroll(maker.idevid({ hardwareModule }), id), id);
  });

  test('of its maker enrolls a device by the serialNumber of its subject', async () => {
    const { id, serialNumber } = await device();
    assertIssued(await enroll(maker.idevid({ serialNumber }), id), id);
  });

  test('of its maker enrolls a device with a new key, and with the key of the identity itself', async () => {
    for (const key of [makeKey(), null]) {
      const { id, serialNumber } = await device();
      const client = maker.idevid({ serialNumber });
      assertIssued(await enroll(client, id, { csr: csrFor(id, key ?? client.key) }), id);
    }
  });

  test('of its maker enrolls a device on a longer path, whatever the order in which it is sent', async () => {
    for (const reversed of [false, true]) {
      const { id, serialNumber } = await device();
      const client = maker.intermediate('Example Devices CA 1.1').idevid({ serialNumber });
      assert.equal(client.chain.length, 2);
      const sent = reversed ? client.chain.toReversed() : client.chain;
      assertIssued(await enroll(client.sending(...sent, root.certificate), id), id);
    }
  });

  test('of an MDM enrolls a device by the commonName that is its id', async () => {
    const { id } = await device();
    assertIssued(
      await enroll(
        mdmCa.endEntity({ subject: [{ type: 'commonName', value: id }], extendedKeyUsage: ['clientAuth'] }),
        id,
      ),
      id,
    );
  });

  test('of a registration authority enrolls the devices that it forwards the requests of', async () => {
    for (let count = 0; count < 2; count += 1) {
      const { id } = await device();
      const key = makeKey();
      const answer = await enroll(ra, id, { csr: csrFor(id, key) });
      assertIssued(answer, id);
      assert.deepEqual(Buffer.from(certificateOf(answer).spki), Buffer.from(key.spki));
    }
  });

  test('waits for an operator where nobody approved beforehand, and is found again by key from another connection', async () => {
    const { id, serialNumber } = await device({ approved: false });
    const client = maker.idevid({ hardwareModule: serialNumber });
    const key = makeKey();
    const held = await enroll(client, id, { csr: csrFor(id, key) });
    assert.equal(held.status, 202, held.text);
    assert.match(held.headers['retry-after'] ?? '', /^[0-9]+$/);
    const { objections } = (await entryOf(authority, held)).verdict;
    assert.deepEqual(
      objections.map(({ control }) => control),
      ['first-enrollment'],
    );
    const request = await requestOf(id);
    assert.equal((await enroll(client, id, { csr: csrFor(id, key) })).status, 202);
    assert.equal((await requestOf(id)).id, request.id);

    const approved = await sallyportHere(
      'request',
      'approve',
      request.id,
      '--config',
      authority.configuration,
    );
    assert.equal(approved.code, 0, approved.stderr + approved.stdout);
    assert.equal((await enroll(client, id, { csr: csrFor(id, makeKey()) })).status, 202);
    assertIssued(await enroll(client, id, { csr: csrFor(id, key) }), id);
    assert.equal((await requestOf(id, 'issued')).decidedBy, 'admin');
  });

  test('gets the same certificate for the same request again, while that is current', async () => {
    const clients = [
      (_id: string, serialNumber: string) => maker.idevid({ hardwareModule: serialNumber }),
      (id: string) => mdmCa.endEntity({ subject: [{ type: 'commonName', value: id }] }),
      () => ra,
    ];
    for (const clientOf of clients) {
      const { id, serialNumber } = await device();
      const client = clientOf(id, serialNumber);
      const key = makeKey();
      const first = certificateOf(await enroll(client, id, { csr: csrFor(id, key) }));
      const from = await logSize(authority);
      const again = certificateOf(await enroll(client, id, { csr: csrFor(id, key) }));
      assert.equal(base64(again.der), base64(first.der));
      assert.equal((await entrySince(from)).outcome, 'redelivered');

      const [stored] = (await perform('listCertificates', { device: id })).items;
      await perform('revokeCertificate', { id: stored!.sha256, reason: 'superseded' });
      const revoked = await enroll(client, id, { csr: csrFor(id, key) });
      assert.equal(revoked.status, 202, revoked.text);
    }
  });

  test('is for the beginning only: afterwards the device renews with what it got', async () => {
    const { id, serialNumber } = await device();
    const idevid = maker.idevid({ serialNumber });
    const key = makeKey();
    const { der } = certificateOf(await enroll(idevid, id, { csr: csrFor(id, key) }));
    const client = new Certified(der, key, []);
    const csr = renewalCsr(der, makeKey());
    assertIssued(await enroll(client, id, { csr, operation: 'simplereenroll' }), id);
  });

  test('stands in the log with its path, its kind and what it proved', async () => {
    const { id, serialNumber } = await device();
    const client = maker.idevid({ hardwareModule: serialNumber });
    const from = await logSize(authority);
    assertIssued(await enroll(client, id), id);
    const { observations, facts, action } = await entrySince(from);
    const { presenter, secret } = observations;
    assert.equal(action, 'enroll');
    assert.equal(secret, null);
    const digests = [];
    for (const each of [client.certificate, maker.certificate, root.certificate]) {
      digests.push(Buffer.from(await crypto.subtle.digest('SHA-256', each.slice())).toString('hex'));
    }
    assert.deepEqual(
      presenter?.path.map(({ sha256 }) => sha256),
      digests,
    );
    assert.equal(presenter?.notAfter, noEnd);
    assert.deepEqual(presenter?.hardwareModule, { type: '1.3.6.1.4.1.32473.7', serialNumber });
    assert.deepEqual(facts.context.identity, {
      kind: 'idevid',
      known: true,
      current: true,
      purpose: true,
      forTemplate: true,
      forDevice: true,
    });
  });

  test('of each kind is told apart in the facts', async () => {
    const { id } = await device();
    const from = await logSize(authority);
    await enroll(mdmCa.endEntity({ subject: [{ type: 'commonName', value: id }] }), id);
    await enroll(ra, id);
    await enroll(TestCa.root('Nobody').idevid({ serialNumber: 'SN-0' }), id);
    const entries = await requestEntriesOf(authority, from);
    assert.deepEqual(
      entries.map(({ facts }) => facts.context.identity?.kind),
      ['mdm', 'ra', 'none'],
    );
    assert.deepEqual(
      entries.map(({ observations }) => observations.presenter?.path.length),
      [2, 0, 0],
    );
  });

  test('was judged as its log replays it', async () => {
    const { code, stdout, stderr } = await sallyportHere(
      'log',
      'verify',
      '--json',
      '--config',
      authority.configuration,
    );
    assert.equal(code, 0, stderr + stdout);
    const { ok, requests, certificates, findings } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual({ ok, findings }, { ok: true, findings: [] });
    assert.ok(Number(requests) > 20 && Number(certificates) > 10, stdout);
  });

  describe('is read again with the configuration', () => {
    let own: typeof authority;
    let initial: string;
    before(async () => {
      own = await authorityWithIdentities(cleanup, {
        maker: { kind: 'idevid', certificates: [root, root] },
        office: { kind: 'ra', certificates: [ra], device: 'id', from: ['commonName'] },
      });
      initial = await readFile(own.configuration, 'utf8');
    });
    /** With these identities instead. */
    async function reload(identities: object): Promise<readonly string[]> {
      await writeFile(
        own.configuration,
        stringify({ ...(parse(initial) as object), identities }, { aliasDuplicateObjects: false }),
      );
      return own.running.reload();
    }
    let files = 0;
    async function pem(...certificates: readonly Certified[]): Promise<string> {
      const file = `identity-${(files += 1)}.pem`;
      await writeFile(path.join(own.directory, file), certificates.map((each) => each.pem).join(''));
      return file;
    }
    const rest = { classes: ['laptop'], templates: ['device'] };

    test('and counts no longer when it stands there no longer', async () => {
      const ids = ['device-before', 'device-after'];
      for (const id of ids) await own.admin.device(id, { approveFor: ['device'] });
      const ask = async (id: string) => askWith(own, ra, id, { csr: csrFor(id, makeKey()) });
      assertIssued(await ask('device-before'), 'device-before');
      const changed = await reload({ maker: { kind: 'idevid', certificates: [await pem(root)], ...rest } });
      assert.ok(
        changed.some((each) => each.startsWith('identities')),
        String(changed),
      );
      const refused = await ask('device-after');
      assert.equal(refused.status, 401, refused.text);
      const controls = (await entryOf(own, refused)).verdict.objections.map(({ control }) => control);
      assert.ok(controls.includes('identity-known'));
      const verified = await sallyportHere('log', 'verify', '--json', '--config', own.configuration);
      assert.equal(verified.code, 0, verified.stdout);
    });

    test('which is refused where it leaves open who vouches', async () => {
      const { key } = maker;
      const anew = root.intermediate('Example Devices CA 1', { key, notAfter: noEnd });
      const spelled = root.intermediate('EXAMPLE Devices CA  1', { key, notAfter: noEnd });
      const leaf = maker.idevid({ serialNumber: 'SN-1' });
      const idevid = { kind: 'idevid', ...rest };
      const mdm = { kind: 'mdm', ...rest };
      const office = { kind: 'ra', ...rest };
      const cases: readonly (readonly [object, RegExp])[] = [
        [
          {
            a: { ...idevid, certificates: [await pem(root)] },
            b: { ...mdm, certificates: [await pem(root)] },
          },
          /in common/,
        ],
        [
          {
            a: { ...idevid, certificates: [await pem(maker)] },
            b: { ...mdm, certificates: [await pem(anew)] },
          },
          /in common/,
        ],
        [
          {
            a: { ...idevid, certificates: [await pem(maker)] },
            b: { ...mdm, certificates: [await pem(spelled)] },
          },
          /in common/,
        ],
        [
          {
            a: { ...office, certificates: [await pem(ra)] },
            b: { ...office, certificates: [await pem(ra)] },
          },
          /in common/,
        ],
        [{ a: { ...idevid, certificates: [await pem(leaf)] } }, /must hold CA certificates only/],
        [{ a: { ...office, certificates: [await pem(root)] } }, /a CA is no registration authority/],
        [
          { a: { ...idevid, certificates: [await pem()] } },
          /holds no certificates in PEM: PEM: no CERTIFICATE/,
        ],
        [{ a: { ...idevid, templates: ['iot'], certificates: [await pem(root)] } }, /does not list idevid/],
      ];
      for (const [identities, said] of cases) {
        await assert.rejects(reload(identities), { code: 'config', message: said });
      }
    });
  });
});
