import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActInput, ActName } from '../acts.ts';
import { openWorld } from '../admin.fixture.ts';

test('every act is one entry, under the name of the operator who did it', async (t) => {
  const world = await openWorld(t);
  await world.importDevice('laptop-7');
  await world.hold('R-1', 'laptop-7');
  const certificate = await world.issue('laptop-7');
  const approval = { id: 'laptop-7', template: 'device' };
  const secret = { device: 'laptop-7', template: 'device' };
  const list = '[{"id":"laptop-8","class":"laptop"}]';
  const assertLogged = async <Name extends ActName>(act: string, name: Name, input: ActInput<Name>) => {
    const index = await world.size();
    const result = await world.admin.perform(name, { name: 'grace' }, input);
    assert.equal(await world.size(), index + 1, act);
    const entry = await world.entry(index);
    assert.equal(entry['type'], 'act');
    assert.equal(entry['act'], act);
    assert.equal(entry['operator'], 'grace');
    assert.equal(entry['time'], world.now);
    assert.equal((result as { logIndex?: number }).logIndex, index, act);
    return result;
  };
  await assertLogged('device.import', 'importDevices', { format: 'json', list });
  await assertLogged('device.approve', 'approveDevice', approval);
  const created = await assertLogged('secret.create', 'createSecret', secret);
  await assertLogged('secret.revoke', 'revokeSecret', { id: (created as { id: string }).id });
  await assertLogged('request.approve', 'approveRequest', { id: 'R-1' });
  await world.hold('R-2', 'laptop-7');
  await assertLogged('request.deny', 'denyRequest', { id: 'R-2' });
  await assertLogged('certificate.revoke', 'revokeCertificate', { id: certificate });
  await assertLogged('device.suspend', 'suspendDevice', { id: 'laptop-7' });
  await assertLogged('device.resume', 'resumeDevice', { id: 'laptop-7' });
  await assertLogged('device.retire', 'retireDevice', { id: 'laptop-7' });
});
