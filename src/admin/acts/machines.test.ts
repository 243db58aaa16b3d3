import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sha256Hex } from '#enrollment';
import { TestCa } from '../../../test/harness/pki.ts';
import { ada, assertRefused, detailOf, openWorld, refusedWith, type World } from '../admin.fixture.ts';
import { hashMachineToken, isMachineToken } from '../machine.ts';

const day = 86_400;
const mdm = { name: 'mdm', scopes: ['secrets:create' as const], templates: ['device'] };

const create = (world: World, changes: object = {}) =>
  world.admin.perform('createMachine', ada, { ...mdm, ...changes });

const holderOf = async ({ storage }: World, token: string) =>
  (await storage.admin.recogniseMachine({ tokenHash: hashMachineToken(token), certificate: null })).byToken;

suite('creating a machine', () => {
  test('shows its token once; store, list and log have none of it', async (t) => {
    const world = await openWorld(t);
    const created = await create(world, { sources: ['192.0.2.0/24'] });
    assert.ok(isMachineToken(created.token), created.token);
    assert.equal(Date.parse(created.expiresAt), world.now + 90 * day * 1000);
    const holder = await holderOf(world, created.token);
    assert.deepEqual(holder?.machine, { ...mdm, sources: ['192.0.2.0/24'] });
    const listed = await world.admin.perform('listMachines', ada, {});
    assert.deepEqual(
      listed.items.map(({ name, createdBy, tokens }) => ({ name, createdBy, ends: tokens[0]?.expiresAt })),
      [{ name: 'mdm', createdBy: 'ada', ends: created.expiresAt }],
    );
    const entry = await world.entry(created.logIndex);
    for (const place of [listed, entry]) assert.ok(!JSON.stringify(place).includes(created.token.slice(12)));
    assert.deepEqual(await detailOf(world, created.logIndex), {
      machine: 'mdm',
      scopes: mdm.scopes,
      templates: mdm.templates,
      sources: ['192.0.2.0/24'],
      expiresAt: Date.parse(created.expiresAt),
    });
  });

  test('gives it no template and no scope that nobody named, and a token of a year at most', async (t) => {
    const world = await openWorld(t);
    const refuse = (changes: object, refusal: (error: unknown) => boolean) =>
      assertRefused(world, 'createMachine', { ...mdm, ...changes }, refusal);
    await refuse({ templates: [] }, refusedWith('usage', /templates/));
    await refuse({ templates: ['no-such'] }, refusedWith('not-found', /no-such/));
    await refuse({ scopes: [] }, refusedWith('usage', /scopes/));
    await refuse({ scopes: ['devices:erase'] }, refusedWith('usage', /scopes/));
    await refuse({ sources: ['192.0.2.1/24'] }, refusedWith('usage', /192\.0\.2\.1/));
    await refuse({ sources: [] }, refusedWith('usage', /sources/));
    await refuse({ lifetimeSeconds: 366 * day + 1 }, refusedWith('usage', /366/));
    await refuse({ name: 'machine:mdm' }, refusedWith('usage', /name/));
    await create(world, { lifetimeSeconds: 366 * day });
    await refuse({}, refusedWith('conflict', /mdm/));
  });
});

suite('rotating', () => {
  test('gives a new token; the one before is good for an hour more, or not at all', async (t) => {
    const world = await openWorld(t);
    const one = await create(world);
    const two = await world.admin.perform('rotateMachine', ada, { name: 'mdm' });
    assert.equal((await holderOf(world, one.token))?.expiresAt, world.now + 3_600_000);
    assert.equal((await holderOf(world, two.token))?.expiresAt, world.now + 90 * day * 1000);
    await world.admin.perform('rotateMachine', ada, { name: 'mdm', overlapSeconds: 0 });
    assert.equal((await holderOf(world, one.token))?.expiresAt, world.now);
    assert.equal((await holderOf(world, two.token))?.expiresAt, world.now);
    assert.ok(!JSON.stringify(await world.entry(two.logIndex)).includes(two.token.slice(12)));
    const long = { name: 'mdm', overlapSeconds: 7 * day + 1 };
    await assertRefused(world, 'rotateMachine', long, refusedWith('usage', /overlap/));
  });
});

suite('pinning', () => {
  test('is by the SHA-256 of the one certificate, and never by a CA', async (t) => {
    const world = await openWorld(t);
    await create(world);
    const ca = TestCa.root('Any CA');
    const leaf = ca.endEntity({ subject: [{ type: 'commonName', value: 'mdm.example.com' }] });
    const refuse = (certificate: string, words: RegExp) =>
      assertRefused(world, 'pinCertificate', { name: 'mdm', certificate }, refusedWith('usage', words));
    await refuse(ca.pem, /CA/);
    await refuse(leaf.pem + leaf.pem, /one certificate/);
    const none = { name: 'mdm', certificate: '' };
    await assertRefused(world, 'pinCertificate', none, refusedWith('malformed', /no CERTIFICATE/));
    const certificate = leaf.pem;
    const pinned = await world.admin.perform('pinCertificate', ada, { name: 'mdm', certificate });
    assert.equal(pinned.certificate, sha256Hex(leaf.certificate));
    const [listed] = (await world.admin.perform('listMachines', ada, {})).items;
    assert.deepEqual(listed?.certificates, [pinned.certificate]);
    const detail = { machine: 'mdm', certificate: pinned.certificate, instead: false };
    assert.deepEqual(await detailOf(world, pinned.logIndex), detail);
    const again = { name: 'mdm', certificate };
    await assertRefused(world, 'pinCertificate', again, refusedWith('conflict', /already/));
    world.now = Date.parse(pinned.expiresAt);
    await assertRefused(world, 'pinCertificate', again, refusedWith('conflict', /expired/));
  });
});

suite('revoking', () => {
  test('is final', async (t) => {
    const world = await openWorld(t);
    const { token } = await create(world);
    const revoked = await world.admin.perform('revokeMachine', ada, { name: 'mdm', remark: 'gone' });
    assert.equal(Date.parse(revoked.revokedAt), world.now);
    assert.equal((await holderOf(world, token))?.revoked, true);
    for (const name of ['rotateMachine', 'revokeMachine'] as const) {
      await assertRefused(world, name, { name: 'mdm' }, refusedWith('conflict', /for ever/));
    }
    await assertRefused(world, 'createMachine', mdm, refusedWith('conflict', /mdm/));
  });
});
