import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { unseal } from '#enrollment';
import { ada, assertRefused, detailOf, openWorld, refusedWith, type World } from '../admin.fixture.ts';

const input = { device: 'laptop-7', templates: ['web'] };

async function worldWithDevice(t: Parameters<typeof openWorld>[0]): Promise<World> {
  const world = await openWorld(t);
  await world.importDevice('laptop-7');
  return world;
}

suite('creating an external account key', () => {
  test('tells the MAC key this once, which rests sealed under the id, and stands in no entry', async (t) => {
    const world = await worldWithDevice(t);
    const created = await world.admin.perform('createExternalAccountKey', ada, {
      ...input,
      names: ['WWW.example.org', '.Web.example.org', '10.0.0.7', 'www.example.org'],
      maximumCertificates: 3,
      approve: true,
    });
    const names = ['www.example.org', '.web.example.org', '10.0.0.7'];
    const { keyId, hmacKey, logIndex, ...rest } = created;
    assert.match(keyId, /^K(?:-[0-9A-Z]{4}){4}$/);
    assert.deepEqual(rest, {
      device: 'laptop-7',
      templates: ['web'],
      names,
      maximumCertificates: 3,
      approved: true,
      expiresAt: new Date(world.now + 3_600_000).toISOString(),
    });
    const stored = (await world.storage.acme.externalAccountKey(keyId))!;
    assert.deepEqual([stored.device, stored.state], ['laptop-7', 'live']);
    const opened = unseal(stored.sealed, keyId, stored.sealingKey, world.macKeys);
    assert.equal(opened.length, 32);
    assert.equal(Buffer.from(opened).toString('base64url'), hmacKey);
    assert.throws(() => unseal(stored.sealed, 'K-0', stored.sealingKey, world.macKeys));
    assert.deepEqual(await detailOf(world, logIndex), {
      externalAccountKey: keyId,
      device: 'laptop-7',
      templates: ['web'],
      names,
      maximumCertificates: 3,
      approve: true,
      expiresAt: world.now + 3_600_000,
    });
    const leaf = await world.leaf(logIndex);
    assert.doesNotMatch(leaf, /laptop-7|example|10\.0\.0\.7/);
    assert.ok(!JSON.stringify(await world.entry(logIndex)).includes(hmacKey));
  });

  test('without names gives whatever the templates admit, approved by nobody', async (t) => {
    const world = await worldWithDevice(t);
    const { names, maximumCertificates, approved } = await world.admin.perform(
      'createExternalAccountKey',
      ada,
      { ...input, templates: ['web', 'site'] },
    );
    assert.deepEqual([names, maximumCertificates, approved], [null, null, false]);
  });

  test('an approval needs names', async (t) => {
    const world = await worldWithDevice(t);
    const refusal = refusedWith('usage', /names/);
    await assertRefused(world, 'createExternalAccountKey', { ...input, approve: true }, refusal);
  });

  test('names must be names that a template of it admits', async (t) => {
    const world = await worldWithDevice(t);
    const refused = (names: string[], refusal: ReturnType<typeof refusedWith>, templates = ['web']) =>
      assertRefused(world, 'createExternalAccountKey', { ...input, templates, names }, refusal);
    for (const name of ['https://www.example.org', '*', 'a b', '10.0.0.0/8', '.', 'ida@example.org']) {
      await refused([name], refusedWith('usage', /no name/));
    }
    for (const name of ['www.example.net', 'evil-example.org', '.com', '192.0.2.7', '*.example.org']) {
      await refused(['www.example.org', name], refusedWith('forbidden', /would never admit/));
    }
    await refused(['www.example.com'], refusedWith('forbidden', /web, site/), ['web', 'site']);
    await refused([], refusedWith('usage'));
    await world.admin.perform('createExternalAccountKey', ada, {
      ...input,
      templates: ['web', 'site'],
      names: ['www.example.org', '.example.net', '.org'],
    });
  });

  test('only for templates that take accounts and can prove names, each once', async (t) => {
    const world = await worldWithDevice(t);
    const refused = (templates: string[], refusal: ReturnType<typeof refusedWith>) =>
      assertRefused(world, 'createExternalAccountKey', { ...input, templates }, refusal);
    await refused(['device'], refusedWith('forbidden', /takes no accounts/));
    await refused(['web', 'bare'], refusedWith('forbidden', /bare takes no accounts/));
    await refused(['web', 'no-such'], refusedWith('forbidden', /no-such/));
    await refused(['web', 'iot'], refusedWith('forbidden', /class laptop/));
    await refused(['web', 'web'], refusedWith('usage', /twice/));
    await refused([], refusedWith('usage'));
  });

  test('only for a device that can enroll', async (t) => {
    const world = await worldWithDevice(t);
    const nobody = { ...input, device: 'nobody' };
    await assertRefused(world, 'createExternalAccountKey', nobody, refusedWith('not-found', /import/));
    await world.admin.perform('suspendDevice', ada, { id: 'laptop-7' });
    await assertRefused(world, 'createExternalAccountKey', input, refusedWith('conflict', /suspended/));
    await world.admin.perform('retireDevice', ada, { id: 'laptop-7' });
    await assertRefused(world, 'createExternalAccountKey', input, refusedWith('conflict', /retired/));
  });

  test('lifetimes have the bounds of secrets', async (t) => {
    const world = await worldWithDevice(t);
    for (const lifetimeSeconds of [59, 86_401]) {
      const refusal = refusedWith('usage', /external account key waits/);
      await assertRefused(world, 'createExternalAccountKey', { ...input, lifetimeSeconds }, refusal);
    }
    const asked = { ...input, lifetimeSeconds: 86_400 };
    const { expiresAt } = await world.admin.perform('createExternalAccountKey', ada, asked);
    assert.equal(Date.parse(expiresAt), world.now + 86_400_000);
  });
});
