import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import { ada, assertRefused, openWorld, refusedWith } from '../admin.fixture.ts';

suite('secrets', () => {
  const input = { device: 'laptop-7', template: 'device' };

  test('the secret is in the answer, its MAC in the store, and neither in the log', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const created = await world.admin.perform('createSecret', ada, input);
    assert.match(created.secret, /^[A-Za-z0-9-]{22,}$/);
    assert.equal(created.expiresAt, new Date(world.now + 3_600_000).toISOString());
    const entry = JSON.stringify(await world.entry(created.logIndex));
    assert.ok(!entry.includes(created.secret));
    const { items } = await world.admin.perform('listSecrets', ada, { device: 'laptop-7' });
    assert.deepEqual(
      items.map(({ id, state, expired }) => ({ id, state, expired })),
      [{ id: created.id, state: 'live', expired: false }],
    );
    assert.ok(!JSON.stringify(items).includes(created.secret));
  });

  test('the store finds it by its MAC, bound to the names it expects', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const created = await world.admin.perform('createSecret', ada, {
      ...input,
      subject: [{ type: 'commonName', value: 'laptop-7' }],
      subjectAltName: [{ kind: 'ip', value: '2001:DB8::0:7' }],
    });
    const { items } = await world.admin.perform('listSecrets', ada, {});
    assert.deepEqual(items[0]!.expected?.subject, 'CN=laptop-7');
    assert.match(items[0]!.expected?.subjectAltName?.[0] ?? '', /2001:db8::7/);
    assert.equal(created.device, 'laptop-7');
  });

  test('lifetimes have bounds', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    for (const lifetimeSeconds of [1, 59, 86_401]) {
      await assertRefused(
        world,
        'createSecret',
        { ...input, lifetimeSeconds },
        refusedWith('usage', /lives/),
      );
    }
    for (const lifetimeSeconds of [60, 86_400]) {
      const { expiresAt } = await world.admin.perform('createSecret', ada, { ...input, lifetimeSeconds });
      assert.equal(Date.parse(expiresAt), world.now + lifetimeSeconds * 1000);
    }
  });

  test('only for a device that can enroll and a template that its class may have', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    await assertRefused(
      world,
      'createSecret',
      { ...input, device: 'nobody' },
      refusedWith('not-found', /import/),
    );
    await assertRefused(
      world,
      'createSecret',
      { ...input, template: 'no-such' },
      refusedWith('forbidden', /no-such/),
    );
    await assertRefused(
      world,
      'createSecret',
      { ...input, template: 'iot' },
      refusedWith('forbidden', /class laptop/),
    );
    await world.admin.perform('suspendDevice', ada, { id: 'laptop-7' });
    await assertRefused(world, 'createSecret', input, refusedWith('conflict', /suspended/));
  });

  test('a name that cannot be is refused', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const subject = [{ type: 'noSuchType', value: 'x' }];
    await assertRefused(world, 'createSecret', { ...input, subject }, (error) => isSallyportError(error));
    const subjectAltName = [{ kind: 'ip' as const, value: 'not an address' }];
    await assertRefused(world, 'createSecret', { ...input, subjectAltName }, (error) =>
      isSallyportError(error),
    );
  });

  test('revoking makes it void, once', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const { id } = await world.admin.perform('createSecret', ada, input);
    await world.admin.perform('revokeSecret', ada, { id, remark: 'leaked' });
    await assertRefused(world, 'revokeSecret', { id }, refusedWith('conflict'));
    await assertRefused(world, 'revokeSecret', { id: 'S-0' }, refusedWith('not-found'));
  });
});
