import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { TestDevice } from '../harness/test-device.ts';

const second = 1000;
const day = 86_400 * second;

/** A first enrollment waits for an operator: EST's 202, RFC 7030 section 4.2.3. */
describe('approval', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  const perform: typeof authority.admin.client.perform = (name, input) =>
    authority.admin.client.perform(name, input);

  let devices = 0;
  const unapproved = (settings = {}) => TestDevice.unapproved(authority, `new-${(devices += 1)}`, settings);
  const expected = (settings = {}) => TestDevice.expected(authority, `known-${(devices += 1)}`, settings);

  async function requestOf(
    { id }: TestDevice,
    state: 'pending' | 'approved' | 'denied' | 'issued' = 'pending',
  ) {
    const { items } = await perform('listRequests', { state, limit: 1000 });
    const found = items.filter(({ device }) => device === id);
    assert.equal(found.length, 1, `${id} has ${found.length} requests that are ${state}`);
    return found[0]!;
  }
  const approve = async (device: TestDevice) =>
    perform('approveRequest', { id: (await requestOf(device)).id });

  async function assertHeld(answer: EstAnswer, controls: readonly string[]): Promise<void> {
    assert.equal(answer.status, 202, answer.text);
    const entry = await entryOf(authority, answer);
    assert.equal(entry.outcome, 'held');
    assert.deepEqual(entry.verdict.objections.map(({ control }) => control).sort(), controls);
  }

  test('a held request gets its certificate when the same request comes after the approval', async () => {
    const device = await unapproved();
    await assertHeld(await device.enroll(), ['first-enrollment']);
    await approve(device);
    const answer = await device.enroll();
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.certificates.length, 1);
    assert.equal((await requestOf(device, 'issued')).decidedBy, 'admin');
  });

  test('a request that is asked again while it waits stays one request', async () => {
    const device = await unapproved();
    await device.enroll();
    const { id } = await requestOf(device);
    await assertHeld(await device.enroll(), ['first-enrollment']);
    assert.equal((await requestOf(device)).id, id);
  });

  test('an approval is for the key it was given for: another key with the same secret is refused', async () => {
    const device = await unapproved();
    await device.enroll();
    await approve(device);
    const answer = await device.enroll({ key: makeKey() });
    await assertRefused(authority, answer, 401, ['first-enrollment', 'secret-unused']);
    assert.equal((await device.enroll()).status, 200);
  });

  test('an approval is for the key it was given for: another key with another secret waits again', async () => {
    const device = await unapproved();
    await device.enroll();
    await approve(device);
    await device.newSecret();
    await assertHeld(await device.enroll({ key: makeKey() }), ['first-enrollment']);
  });

  test('an approval is for the names it was given for: a device renamed since is refused', async () => {
    const device = await unapproved({ identifiers: { dnsName: 'before.example.org' } });
    await device.enroll();
    await approve(device);
    await authority.admin.device(device.id, { identifiers: { dnsName: 'after.example.org' } });
    const answer = await device.enroll();
    const entry = await assertRefused(authority, answer, 401, ['first-enrollment', 'secret-unused']);
    const words = entry.verdict.objections.find(({ control }) => control === 'first-enrollment')?.detail;
    assert.match(words ?? '', /the approval was given for other names/);
  });

  test('an approval is for the names it was given for: a device renamed since waits again with another secret', async () => {
    const device = await unapproved({ identifiers: { dnsName: 'before.example.net' } });
    await device.enroll();
    await approve(device);
    await authority.admin.device(device.id, { identifiers: { dnsName: 'after.example.net' } });
    await device.newSecret();
    await assertHeld(await device.enroll(), ['first-enrollment']);
    assert.deepEqual((await requestOf(device)).subjectAltName, ['DNS:after.example.net']);
  });

  test('a denied request is refused from then on, and its secret is void', async () => {
    const device = await unapproved();
    await device.enroll();
    await perform('denyRequest', { id: (await requestOf(device)).id });
    const controls = ['first-enrollment', 'secret-not-void', 'secret-unused'];
    await assertRefused(authority, await device.enroll(), 401, controls);
    const { items } = await perform('listSecrets', { device: device.id });
    assert.deepEqual(
      items.map(({ state }) => state),
      ['void'],
    );
  });

  test('a decision is final: what was denied cannot be approved, nor the other way round', async () => {
    const [denied, approved] = [await unapproved(), await unapproved()];
    await denied.enroll();
    await approved.enroll();
    const { id } = await requestOf(denied);
    await perform('denyRequest', { id });
    await assert.rejects(perform('approveRequest', { id }), { code: 'conflict' });
    await approve(approved);
    const decided = await requestOf(approved, 'approved');
    await assert.rejects(perform('denyRequest', { id: decided.id }), { code: 'conflict' });
  });

  test('a device suspended between hold and approval is refused, and served once it is resumed', async () => {
    const device = await unapproved();
    await device.enroll();
    await perform('suspendDevice', { id: device.id });
    await approve(device);
    await assertRefused(authority, await device.enroll(), 403, ['device-state']);
    await perform('resumeDevice', { id: device.id });
    assert.equal((await device.enroll()).status, 200);
  });

  test('a device suspended after the approval is refused', async () => {
    const device = await unapproved();
    await device.enroll();
    await approve(device);
    await perform('suspendDevice', { id: device.id });
    await assertRefused(authority, await device.enroll(), 403, ['device-state']);
  });

  test('an approval expires, and the request waits for another one', async () => {
    const device = await unapproved();
    await device.enroll();
    const { expiresAt } = await approve(device);
    authority.advance(7 * day + second);
    await assertHeld(await device.enroll(), ['first-enrollment']);
    const again = await approve(device);
    assert.ok(again.expiresAt > expiresAt);
    assert.equal((await device.enroll()).status, 200);
  });

  // docs/configuration.md, approvals.lifetime: "Held requests and approvals end after this."
  test('a held request ends after the same time', async () => {
    const device = await unapproved();
    await device.enroll();
    authority.advance(7 * day + second);
    await assert.rejects(approve(device));
  });

  test('an approval beforehand is used up by one certificate', async () => {
    const device = await expected();
    assert.equal((await device.enroll()).status, 200);
    await device.newSecret();
    await assertHeld(await device.enroll({ key: makeKey() }), ['enrollment-again', 'first-enrollment']);
  });

  test('an approval beforehand is used up by one certificate of two that are asked for at once', async () => {
    const device = await expected();
    const first = device.secret;
    await device.newSecret();
    const answers = await Promise.all([
      device.enroll({ secret: first, key: makeKey() }),
      device.enroll({ secret: device.secret, key: makeKey() }),
    ]);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 202]));
  });

  // Whoever asks again gets nothing new, so that there is nothing to approve: also not that the device has another key by now.
  test('a first enrollment asked for again after a renewal with another key gets the same certificate', async () => {
    const device = await expected();
    const { certificates: first } = await device.enroll();
    assert.equal((await device.renew({ key: makeKey() })).status, 200);
    const again = await device.enroll();
    assert.equal(again.status, 200, again.text);
    assert.deepEqual(again.certificates, first);
  });

  test('a renewal needs no approval and uses none up', async () => {
    const device = await expected();
    assert.equal((await device.enroll()).status, 200);
    await perform('approveDevice', { id: device.id, template: device.template });
    assert.equal((await device.renew()).status, 200);
    await device.newSecret();
    assert.equal((await device.enroll({ key: makeKey() })).status, 200);
  });

  const iot = { deviceClass: 'iot', template: 'iot' };

  test('a class with `approval: always` is held by its own control beside that of every first enrollment', async () => {
    const device = await unapproved(iot);
    await assertHeld(await device.enroll(), ['class-approval', 'first-enrollment']);
    const { lifts } = await approve(device);
    assert.deepEqual(lifts, ['class-approval', 'first-enrollment']);
    assert.equal((await device.enroll()).status, 200);
  });

  test('an approval beforehand is approval enough for a class with `approval: always`, once', async () => {
    const device = await expected(iot);
    assert.equal((await device.enroll()).status, 200);
    await device.newSecret();
    await assertHeld(await device.enroll({ key: makeKey() }), [
      'class-approval',
      'enrollment-again',
      'first-enrollment',
    ]);
  });

  test('Retry-After grows with the time waited, up to the configured longest', async () => {
    const device = await unapproved();
    const told = async (later: number) => {
      authority.advance(later * second);
      return Number((await device.enroll()).headers['retry-after']);
    };
    assert.equal(await told(0), 2);
    const afterForty = await told(40);
    assert.ok(afterForty >= 10 && afterForty <= 12, String(afterForty));
    assert.equal(await told(3600), 30);
  });
});
