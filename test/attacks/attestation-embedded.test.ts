import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { GeneralName } from '#x509';
import { assertObjected } from '../harness/acme-answers.ts';
import { AcmeClient } from '../harness/acme-client.ts';
import { attestingAuthority, withDeviceAttest, type Yaml } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, makeCsr, makeKey } from '../harness/csr.ts';
import { assertNotAccepted, attest, leafOfOrder, ordered } from '../harness/device-order.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { hardwareModuleName } from '../harness/pki.ts';
import { permanentIdentifier } from '../harness/played-tpm.ts';

const type = '1.3.6.1.4.1.32473.7';

/** Certificates that name the device as it was ordered (draft-ietf-acme-device-attest sections 3 and 4): by what the evidence says, and never by what the request says. */
describe('the name of a device in its certificate', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  let client: AcmeClient;
  before(async () => {
    authority = await attestingAuthority(cleanup, {
      edit: withEmbedding,
    });
  });

  /** A device with an account, and its TPM, whose certificate has these names beside its id. */
  const device = async (id: string, ...names: readonly GeneralName[]) => {
    await authority.admin.device(id, { deviceClass: 'attested-laptop' });
    const base = new URL(authority.est).origin;
    client = await AcmeClient.at(`${base}/acme/hardware/directory`, authority.trustPem);
    cleanup.after(() => client.close());
    assert.equal((await client.register(null)).status, 201);
    return authority.tpm(id, { names });
  };
  const proven = async (tpm: Awaited<ReturnType<typeof device>>, value: string, kind?: string) => {
    const order = await ordered(client, value, kind);
    return { order, ...(await attest(client, order, tpm)) };
  };
  const named = async (
    { order, key }: Pick<Awaited<ReturnType<typeof proven>>, 'order' | 'key'>,
    subjectAltName: readonly GeneralName[] = [],
  ) => {
    const answer = await client.finalize(order, csrOf(key, subjectAltName));
    return (await leafOfOrder(client, answer)).subjectAltName;
  };
  const csrOf = (key: ClientKey, subjectAltName: readonly GeneralName[]) =>
    makeCsr({ key, ...(subjectAltName.length === 0 ? {} : { subjectAltName }) });

  test('is its PermanentIdentifier, also when it renews, whether or not its request says so', async () => {
    const tpm = await device('anna');
    assert.deepEqual(await named(await proven(tpm, 'anna')), [permanentIdentifier('anna')]);
    const name = permanentIdentifier('anna');
    assert.deepEqual(await named(await proven(tpm, 'anna'), [name]), [name]);
  });

  test('is its HardwareModuleName, octet for octet, and under another order the other one', async () => {
    for (const [id, octets, value] of [
      ['berta', Buffer.from('SN 7:\u00e4'), 'SN 7:\u00e4'],
      ['carl', Buffer.of(0, 0xff), 'hex:00ff'],
    ] as const) {
      const module = hardwareModuleName(octets, type);
      const tpm = await device(id, module);
      const found = await named(await proven(tpm, `${value}/${type}`, 'hardware-module'));
      assert.deepEqual(found, [module]);
      assert.deepEqual(await named(await proven(tpm, id)), [permanentIdentifier(id)]);
    }
  });

  test('is in the form in which the evidence says it: whatever is ordered, no two devices have the same', async () => {
    const ofMaker = hardwareModuleName('4711', type);
    const gina = await device('gina', ofMaker);
    assert.deepEqual(await named(await proven(gina, '4711')), [ofMaker]);
    assert.deepEqual(await named(await proven(gina, `4711/${type}`)), [ofMaker]);
    const ofAnother = hardwareModuleName('4711', `${type}.1`);
    const hera = await device('hera', ofAnother);
    assert.deepEqual(await named(await proven(hera, '4711')), [ofAnother]);
    // The serial number of a module, and the name that the attestation CA gives the device of that id.
    const ines = await device('ines', hardwareModuleName('anna', type));
    assert.deepEqual(await named(await proven(ines, 'anna')), [hardwareModuleName('anna', type)]);
  });

  test('is one that the operator has seen who approved it', async () => {
    const tpm = await device('jana', hardwareModuleName('SN-1', type));
    await authority.admin.device('jana', { deviceClass: 'looked-at' });
    const key = makeKey();
    const waits = async (value: string, kind?: string) => {
      const order = await ordered(client, value, kind);
      const { answer } = await attest(client, order, tpm, { key });
      assert.equal(answer.body['status'], 'valid', answer.text);
      const held = await client.finalize(order, csrOf(key, []));
      assert.equal(held.body['status'], 'processing', held.text);
      const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
      return { url: held.headers['location']!, request: items.find((each) => each.device === 'jana')!.id };
    };
    const { url, request } = await waits('jana');
    await authority.admin.client.perform('approveRequest', { id: request, lifts: ['class-approval'] });
    assert.notEqual((await waits(`SN-1/${type}`, 'hardware-module')).request, request);
    assert.equal((await client.post(url, null)).body['status'], 'valid');
  });

  test('is none of those by which the device may be ordered, where an operator denied one', async () => {
    const tpm = await device('kira', hardwareModuleName('SN-2', type));
    await authority.admin.device('kira', { deviceClass: 'looked-at' });
    const key = makeKey();
    const finalized = async (value: string, kind?: string) => {
      const order = await ordered(client, value, kind);
      await attest(client, order, tpm, { key });
      return client.finalize(order, csrOf(key, []));
    };
    assert.equal((await finalized('kira')).body['status'], 'processing');
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const { id } = items.find((each) => each.device === 'kira')!;
    await authority.admin.client.perform('denyRequest', { id });
    for (const [value, kind] of [
      ['kira', 'permanent-identifier'],
      [`SN-2/${type}`, 'hardware-module'],
      ['SN-2', 'permanent-identifier'],
    ] as const) {
      const answer = await finalized(value, kind);
      assert.match(answer.text, /An operator has denied this request/, value);
    }
  });

  test('is none that only the request says', async () => {
    const tpm = await device('dora', hardwareModuleName('SN-9', type));
    const { order, key } = await proven(tpm, 'dora');
    for (const name of [
      permanentIdentifier('anna'),
      permanentIdentifier('dora', type),
      hardwareModuleName('SN-9', type),
    ]) {
      const answer = await client.finalize(order, csrOf(key, [name]));
      await assertObjected(authority, answer, 'badCSR', ['request-subject-alt-name']);
    }
    assert.deepEqual(await named({ order, key }), [permanentIdentifier('dora')]);
  });

  test('is none that the evidence does not say', async () => {
    const tpm = await device('emil', hardwareModuleName('SN-8', type));
    for (const [value, kind] of [
      ['anna', 'permanent-identifier'],
      [`emil/${type}`, 'permanent-identifier'],
      [`SN-7/${type}`, 'hardware-module'],
      [`SN-8/${type}.1`, 'hardware-module'],
    ] as const) {
      assertNotAccepted((await proven(tpm, value, kind)).answer);
    }
  });

  test('has one form in an order', async () => {
    await device('fred');
    for (const value of ['hex:', 'hex:0', 'hex:FF', 'hex:zz']) {
      const { status } = await client.order([{ type: 'hardware-module', value: `${value}/${type}` }]);
      assert.equal(status, 400, value);
    }
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});

/** And a class of which an operator looks at each enrollment. */
function withEmbedding(settings: Yaml): Yaml {
  const edited = withDeviceAttest(settings, { externalAccountKey: 'optional', embedIdentifier: true });
  const classes = edited['deviceClasses']!;
  classes['looked-at'] = { ...classes['attested-laptop'], approval: 'always' };
  return edited;
}
