import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EvidenceIdentities } from '#evidence';
import type { Device, DeviceClass, EvidenceRequirement } from '#inventory';
import { attestedDevice } from './attested-device.ts';
import { examined, takesBoth } from './layers/evidence.fixture.ts';

const inventory: readonly Device[] = [
  { id: 'one', serialNumber: 'SN-1', deviceClass: 'laptop' },
  { id: 'two', serialNumber: 'SN-2', deviceClass: 'laptop' },
  { id: 'other', serialNumber: 'SN-3', deviceClass: 'phone' },
  { id: 'old', serialNumber: 'SN-4', deviceClass: 'laptop', state: 'retired' as const },
].map((each) => ({ owner: null, state: 'active', identifiers: {}, ...each }));

/** In the way that the port promises, and by no other column. */
const store = {
  async devicesBy(keys: readonly { readonly column: string; readonly value: string }[]) {
    assert.ok(keys.every(({ column }) => column === 'id' || column === 'serialNumber'));
    return inventory.filter((each) =>
      keys.some(({ column, value }) => each[column as 'id' | 'serialNumber'] === value),
    );
  },
};

const bySerialNumber = { from: 'serialNumber', is: 'serialNumber', types: null } as const;

async function named(
  identities: EvidenceIdentities,
  by: EvidenceRequirement['device'] = bySerialNumber,
  templates: DeviceClass['templates'] = null,
): Promise<string | null> {
  const evidence = { tpm: { ...takesBoth.evidence.tpm, device: by } };
  const deviceClasses = { laptop: { ...takesBoth, evidence, templates } };
  const examination = { ...examined, statement: { ...examined.statement, identities } };
  return attestedDevice(examination, 'device', { deviceClasses }, store);
}

describe('the device of evidence that comes without one', () => {
  test('is the one that it names as its class says', async () => {
    assert.equal(await named({ serialNumber: 'SN-1' }), 'one');
    const byId = { from: 'permanentIdentifier', is: 'id', types: null } as const;
    assert.equal(await named({ permanentIdentifier: { value: 'two', assigner: null } }, byId), 'two');
  });

  test('is none where it names several', async () => {
    const byPhoneNumber = { from: 'imei', is: 'serialNumber', types: null } as const;
    assert.equal(await named({ imei: ['SN-1', 'nobody'] }, byPhoneNumber), 'one');
    assert.equal(await named({ imei: ['SN-1', 'SN-2'] }, byPhoneNumber), null);
  });

  test('is none of another class, none that is retired, and none that nobody knows', async () => {
    for (const serialNumber of ['SN-3', 'SN-4', 'SN-5']) assert.equal(await named({ serialNumber }), null);
  });

  test('is none whose class has not the template', async () => {
    assert.equal(await named({ serialNumber: 'SN-1' }, bySerialNumber, ['device']), 'one');
    assert.equal(await named({ serialNumber: 'SN-1' }, bySerialNumber, ['other']), null);
  });

  test('is looked for by its id and its serial number alone', async () => {
    const byUdid = { from: 'udid', is: 'udid', types: null } as const;
    assert.equal(await named({ udid: 'SN-1' }, byUdid), null);
  });
});
