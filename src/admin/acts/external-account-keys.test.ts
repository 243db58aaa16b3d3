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

suite('external account keys and accounts', () => {
  test('are listed without any key, by device and state, in pages', async (t) => {
    const world = await worldWithDevice(t);
    await world.importDevice('laptop-8');
    const bounds = { names: ['www.example.org'], maximumCertificates: 2, approve: true };
    const create = (more: object) =>
      world.admin.perform('createExternalAccountKey', ada, { ...input, ...more });
    const { keyId, hmacKey } = await create(bounds);
    world.now += 1000;
    const other = await create({ device: 'laptop-8' });
    const account = await world.account(keyId);
    world.now += 3_599_000;
    const list = (filter: object) => world.admin.perform('listExternalAccountKeys', ada, filter);
    const { items, next } = await list({ limit: 1 });
    assert.equal(next, keyId);
    const shown = { device: 'laptop-7', templates: ['web'], names: ['www.example.org'] };
    const may = { ...shown, maximumCertificates: 2, approvedBy: 'ada' };
    assert.deepEqual(items, [
      {
        id: keyId,
        ...may,
        state: 'spent',
        expired: true,
        account,
        createdAt: new Date(world.now - 3_600_000).toISOString(),
        expiresAt: new Date(world.now).toISOString(),
        createdBy: 'ada',
      },
    ]);
    assert.ok(!JSON.stringify(items).includes(hmacKey));
    const ids = async (filter: object) => (await list(filter)).items.map(({ id }) => id);
    assert.deepEqual(await ids({ after: keyId }), [other.keyId]);
    assert.deepEqual(await ids({ device: 'laptop-8' }), [other.keyId]);
    assert.deepEqual(await ids({ state: 'spent' }), [keyId]);

    const accounts = (filter: object) => world.admin.perform('listAccounts', ada, filter);
    const made = await accounts({ device: 'laptop-7' });
    assert.deepEqual(made.items, [
      {
        id: account,
        externalAccountKey: keyId,
        keyState: 'spent',
        ...may,
        status: 'valid',
        thumbprint: `thumbprint of ${account}`,
        contact: ['mailto:ida@example.org'],
        createdAt: new Date(world.now - 3_599_000).toISOString(),
      },
    ]);
    assert.deepEqual((await accounts({ device: 'laptop-8' })).items, []);
    assert.deepEqual((await accounts({ after: account })).items, []);
  });

  test('are ended once, and what is not there not at all; the log says why, and whose they are', async (t) => {
    const world = await worldWithDevice(t);
    const { keyId } = await world.admin.perform('createExternalAccountKey', ada, input);
    const account = await world.account(keyId);
    const remark = 'Ida lost it';
    const revoked = await world.admin.perform('revokeAccount', ada, { id: account, remark });
    assert.deepEqual([revoked.id, revoked.status], [account, 'revoked']);
    assert.deepEqual(await detailOf(world, revoked.logIndex), { account, remark });
    assert.doesNotMatch(await world.leaf(revoked.logIndex), /Ida/);
    const ended = await world.admin.perform('voidExternalAccountKey', ada, { id: keyId, remark });
    assert.deepEqual([ended.id, ended.state], [keyId, 'void']);
    assert.deepEqual(await detailOf(world, ended.logIndex), { externalAccountKey: keyId, remark });
    const { items } = await world.admin.perform('listAccounts', ada, {});
    assert.deepEqual([items[0]?.status, items[0]?.keyState], ['revoked', 'void']);
    await assertRefused(world, 'revokeAccount', { id: account }, refusedWith('conflict', /revoked already/));
    await assertRefused(world, 'voidExternalAccountKey', { id: keyId }, refusedWith('conflict'));
    await assertRefused(world, 'revokeAccount', { id: 'nobody' }, refusedWith('not-found'));
    await assertRefused(world, 'voidExternalAccountKey', { id: 'K-0' }, refusedWith('not-found'));
  });
});
