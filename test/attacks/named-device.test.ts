import { before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeCsr } from '../harness/csr.ts';
import { assertRefused } from '../harness/expect.ts';
import {
  askWith,
  authorityWithIdentities,
  type IdentityAsking,
  type IdentityAuthority,
  inventoryDevice,
  issuedTo,
  nobody,
} from '../harness/identity-authority.ts';
import { type Certified, hardwareModuleName, TestCa } from '../harness/pki.ts';

/** An identity from elsewhere that names a device: which one, and no other. */
describe('an identity from elsewhere names its device', () => {
  const cleanup = suiteCleanup();
  const root = TestCa.root('Example Devices Root');
  const maker = root.intermediate('Example Devices CA 1');
  const cameras = TestCa.root('Example Cameras Root');
  const mdmCa = TestCa.root('Example MDM CA');
  let authority: IdentityAuthority;
  before(async () => {
    authority = await authorityWithIdentities(cleanup, {
      maker: { kind: 'idevid', certificates: [root] },
      cameras: {
        kind: 'idevid',
        certificates: [cameras],
        from: ['hardwareModuleName'],
        hardwareTypes: ['1.3.6.1.4.1.32473.7'],
      },
      fleet: { kind: 'mdm', certificates: [mdmCa], device: 'id', from: ['commonName'] },
    });
  });
  const device = () => inventoryDevice(authority);
  const enroll = (client: Certified, id: string, more?: IdentityAsking) =>
    askWith(authority, client, id, more);

  test('by the very octets of the serial number, not by those in another case or with spaces', async () => {
    await authority.admin.device('exact', {
      approveFor: ['device'],
      identifiers: { serialNumber: 'Sn-Exact-1' },
    });
    for (const serialNumber of [
      'sn-exact-1',
      'SN-EXACT-1',
      ' Sn-Exact-1',
      'Sn-Exact-1 ',
      'Sn-Exact -1',
      'Sn-Exact-10',
      'Sn-Exact-',
    ]) {
      for (const names of [{ serialNumber }, { hardwareModule: serialNumber }]) {
        await assertRefused(authority, await enroll(maker.idevid(names), 'exact'), 403, nobody);
      }
    }
    for (const hardwareModule of ['Sn-Exact-1\0', 'Sn-Exact-1\n', 'Sn-Exact-１']) {
      await assertRefused(authority, await enroll(maker.idevid({ hardwareModule }), 'exact'), 403, nobody);
    }
    assert.equal((await enroll(maker.idevid({ serialNumber: 'Sn-Exact-1' }), 'exact')).status, 200);
  });

  test('by octets only where the inventory has octets, and by text only where it has text', async () => {
    for (const [id, serialNumber] of [
      ['of-text', '0011aabb'],
      ['of-octets', 'hex:0011aabc'],
    ] as const) {
      await authority.admin.device(id, { approveFor: ['device'], identifiers: { serialNumber } });
    }
    const octets = (last: number) => Uint8Array.of(0x00, 0x11, 0xaa, last);
    for (const [hardwareModule, id] of [
      [octets(0xbb), 'of-text'],
      ['hex:0011aabc', 'of-octets'],
      ['0011aabc', 'of-octets'],
    ] as const) {
      await assertRefused(authority, await enroll(maker.idevid({ hardwareModule }), id), 403, nobody);
    }
    assert.equal((await enroll(maker.idevid({ hardwareModule: '0011aabb' }), 'of-text')).status, 200);
    assert.equal((await enroll(maker.idevid({ hardwareModule: octets(0xbc) }), 'of-octets')).status, 200);
  });

  test('by HardwareModuleName before the subject’s serialNumber, and by nothing else then', async () => {
    const [first, second] = [await device(), await device()];
    const names = { hardwareModule: first.serialNumber, serialNumber: second.serialNumber };
    const client = maker.idevid(names);
    await assertRefused(authority, await enroll(client, second.id), 400, ['request-subject']);
    assert.equal((await enroll(client, first.id)).status, 200);
    assert.equal(await issuedTo(authority, second.id), 0);
    const unheard = maker.idevid({ ...names, hardwareModule: 'SN-unheard-of' });
    await assertRefused(authority, await enroll(unheard, second.id), 403, nobody);
  });

  test('by hardware types of the list: another product of the maker has serial numbers of its own', async () => {
    const { id, serialNumber } = await device();
    const of = (type: string) =>
      cameras.idevid({ subjectAltName: [hardwareModuleName(serialNumber, type)], serialNumber });
    await assertRefused(authority, await enroll(of('1.3.6.1.4.1.32473.8'), id), 403, nobody);
    await assertRefused(authority, await enroll(cameras.idevid({ serialNumber }), id), 403, nobody);
    assert.equal((await enroll(of('1.3.6.1.4.1.32473.7'), id)).status, 200);
  });

  test('not at all by two HardwareModuleNames, nor by the serialNumber after them', async () => {
    const [first, second] = [await device(), await device()];
    const client = maker.idevid({
      serialNumber: second.serialNumber,
      subjectAltName: [hardwareModuleName(first.serialNumber), hardwareModuleName('SN-unheard-of')],
    });
    await assertRefused(authority, await enroll(client, first.id), 403, nobody);
    await assertRefused(authority, await enroll(client, second.id), 403, nobody);
  });

  test('not at all by two serialNumbers', async () => {
    const [first, second] = [await device(), await device()];
    const subject = [first, second].map(({ serialNumber }) => ({
      type: 'serialNumber',
      value: serialNumber,
    }));
    for (const { id } of [first, second]) {
      await assertRefused(authority, await enroll(maker.idevid({ subject }), id), 403, nobody);
    }
  });

  test('not by what the request says', async () => {
    const [thief, victim] = [await device(), await device()];
    const client = maker.idevid({ serialNumber: thief.serialNumber });
    const subject = [
      { type: 'commonName', value: victim.id },
      { type: 'serialNumber', value: victim.serialNumber },
    ];
    const answer = await enroll(client, victim.id, { csr: makeCsr({ key: client.key, subject }) });
    await assertRefused(authority, answer, 400, ['request-subject']);
  });

  test('not by a commonName, where the identity is not configured so', async () => {
    const { id, serialNumber } = await device();
    const client = maker.endEntity({ subject: [{ type: 'commonName', value: serialNumber }] });
    await assertRefused(authority, await enroll(client, id), 403, nobody);
  });

  test('in its own column: an MDM’s id is no serial number', async () => {
    const { id, serialNumber } = await device();
    const client = mdmCa.endEntity({ subject: [{ type: 'commonName', value: serialNumber }] });
    await assertRefused(authority, await enroll(client, id), 403, nobody);
  });
});
