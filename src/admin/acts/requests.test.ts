import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  ada,
  assertRefused,
  detailOf,
  heldKey,
  heldNames,
  openWorld,
  refusedWith,
} from '../admin.fixture.ts';

suite('requests', () => {
  test('approving lifts what was shown, for its device, template, key and names', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    await world.hold('R-1', 'laptop-7');
    const { items } = await world.admin.perform('listRequests', ada, { state: 'pending' });
    assert.deepEqual(
      items.map(({ id, device, state }) => ({ id, device, state })),
      [{ id: 'R-1', device: 'laptop-7', state: 'pending' }],
    );
    const approved = await world.admin.perform('approveRequest', ada, {
      id: 'R-1',
      lifts: ['first-enrollment'],
    });
    assert.deepEqual(approved.lifts, ['first-enrollment']);
    const approval = await world.approval('laptop-7', 'device');
    assert.equal(approval?.spki, heldKey);
    assert.equal(approval?.names, heldNames);
    assert.deepEqual(approval?.lifts, ['first-enrollment']);
    const detail = await detailOf(world, approved.logIndex);
    assert.equal(detail['spki'], heldKey);
    assert.equal(detail['names'], heldNames);
    await assertRefused(
      world,
      'approveRequest',
      { id: 'R-1' },
      refusedWith('conflict', /approved already, by ada/),
    );
    await assertRefused(world, 'denyRequest', { id: 'R-1' }, refusedWith('conflict'));
  });

  test('objections that the operator did not see are not lifted', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    await world.hold('R-1', 'laptop-7');
    for (const lifts of [[], ['class-approval'], ['class-approval', 'first-enrollment']]) {
      await assertRefused(
        world,
        'approveRequest',
        { id: 'R-1', lifts },
        refusedWith('conflict', /have changed/),
      );
    }
  });

  test('a denied request is decided; an unknown one is not found', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    await world.hold('R-1', 'laptop-7');
    await world.admin.perform('denyRequest', ada, { id: 'R-1', remark: 'unknown person' });
    const request = await world.admin.perform('showRequest', ada, { id: 'R-1' });
    assert.equal(request.state, 'denied');
    assert.equal(request.decidedBy, 'ada');
    await assertRefused(world, 'approveRequest', { id: 'R-1' }, refusedWith('conflict', /denied/));
    await assertRefused(world, 'approveRequest', { id: 'R-2' }, refusedWith('not-found'));
  });

  test('a device is shown with what waits for it, and not with what waits for others', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    await world.importDevice('laptop-8');
    await world.hold('R-7', 'laptop-7');
    await world.hold('R-8', 'laptop-8');
    await world.admin.perform('createSecret', ada, { device: 'laptop-7', template: 'device' });
    const serialNumber = await world.issue('laptop-7');
    const shown = await world.admin.perform('showDevice', ada, { id: 'laptop-7' });
    assert.deepEqual(
      shown.requests.map(({ id }) => id),
      ['R-7'],
    );
    assert.deepEqual(
      shown.secrets.map(({ device }) => device),
      ['laptop-7'],
    );
    assert.deepEqual(
      shown.certificates.map((certificate) => certificate.serialNumber),
      [serialNumber],
    );
  });
});
