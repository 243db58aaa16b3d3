import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { issue, leafOf, problemOf, readyOrder, statusOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

const minutes = 60_000;

describe('draft-ietf-acme-profiles', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newName = () => `profile-${(hosts += 1)}.example.org`;

  test('section 3: the directory names the profiles, each with words for people', async () => {
    const all = await authority.client(null);
    const profiles = all.meta['profiles'] as Record<string, unknown>;
    assert.deepEqual(Object.keys(profiles), ['web', 'other']);
    for (const words of Object.values(profiles)) assert.equal(typeof words, 'string');
    const one = await authority.client('other');
    assert.deepEqual(Object.keys(one.meta['profiles'] as object), ['other']);
  });

  test('section 4: the order shows the profile that was asked for, or selected', async () => {
    const client = await authority.registered({}, null);
    assert.equal((await client.order([newName()], { profile: 'other' })).body['profile'], 'other');
    const selected = await client.order([newName()]);
    assert.equal(selected.body['profile'], 'web');
    assert.equal((await client.post(selected.headers['location']!, null)).body['profile'], 'web');
  });

  test('section 4: the certificate is by the profile of the order', async () => {
    const client = await authority.registered({}, null);
    const { pem } = await issue(authority, client, [newName()], { profile: 'other' });
    const { notBefore, notAfter } = leafOf(pem);
    assert.ok(notAfter - notBefore <= 24 * 60 * minutes + 2 * minutes);
  });

  test('section 4: a profile that is not advertised is invalidProfile', async () => {
    const client = await authority.registered({}, null);
    for (const profile of ['device', 'nothing', '']) {
      assert.deepEqual(
        problemOf(await client.order([newName()], { profile })),
        [400, 'invalidProfile'],
        profile,
      );
    }
    const one = await authority.registered({}, 'web');
    assert.deepEqual(problemOf(await one.order([newName()], { profile: 'other' })), [400, 'invalidProfile']);
    assert.deepEqual(problemOf(await client.order([newName()], { profile: 7 })), [400, 'malformed']);
  });

  test('section 4: finalization is invalidProfile once the profile is not offered any more', async () => {
    const client = await authority.registered({}, null);
    const name = newName();
    const { order, url } = await readyOrder(authority, client, [name], { profile: 'other' });
    const yaml = await readFile(authority.configuration, 'utf8');
    const without = yaml.replace(/(acme:\n +templates:\n(?: +- web\n))(?: +- other\n)/, '$1');
    assert.notEqual(without, yaml);
    await writeFile(authority.configuration, without);
    await authority.running.reload();
    const refused = await client.finalize(order, orderCsr([name]));
    await writeFile(authority.configuration, yaml);
    await authority.running.reload();
    assert.deepEqual(problemOf(refused), [400, 'invalidProfile']);
    assert.equal(statusOf(await client.post(url, null)), 'ready');
  });
});
