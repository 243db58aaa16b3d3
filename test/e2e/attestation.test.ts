import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { assertRefused } from '../harness/expect.ts';
import { TestDevice } from '../harness/test-device.ts';

/** The template `device` for keys in hardware, under the name `vault`. */
function withHardwareTemplate(yaml: string): string {
  const template = /^ {2}device:\n(?: {4}.*\n)+/m.exec(yaml)![0];
  const vault = template.replace('device:', 'vault:').replace(/$/, '    keyProtection: hardware\n');
  return yaml
    .replace(template, `${template}${vault}`)
    .replace('templates: [device, server, iot]', 'templates: [device, server, iot, vault]')
    .replace('templates: [device]', 'templates: [device, vault]');
}

/** What must attest, and does not, gets nothing; what it holds otherwise changes nothing of it. */
describe('attestation', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, withHardwareTemplate);
  });

  const refusedFor = async (answer: Awaited<ReturnType<TestDevice['enroll']>>, words: RegExp) => {
    const entry = await assertRefused(authority, answer, 403, ['attestation']);
    assert.match(entry.verdict.objections[0]!.detail, words);
    assert.match(answer.text, /must attest its key/);
  };

  test('a class that must attest gets no first certificate, approved and with a secret though it is', async () => {
    const device = await TestDevice.expected(authority, 'barbara', { deviceClass: 'attested-laptop' });
    await refusedFor(await device.enroll(), /class attested-laptop must attest/);
  });

  test('a class that must attest renews nothing, not even what it got as another class', async () => {
    const device = await TestDevice.enrolled(authority, 'turned');
    assert.equal((await device.renew()).status, 200);
    await authority.admin.device(device.id, { deviceClass: 'attested-laptop' });
    await refusedFor(await device.renew(), /class attested-laptop must attest/);
  });

  test('a template for keys in hardware certifies no key that is merely declared to be there', async () => {
    const device = await TestDevice.expected(authority, 'declaring', { template: 'vault' });
    await refusedFor(await device.enroll(), /template vault demands a key proven to be in hardware/);
  });

  test('a refusal for lack of evidence is final: it is no request that an operator could approve', async () => {
    const device = await TestDevice.unapproved(authority, 'hopeful', { deviceClass: 'attested-laptop' });
    const controls = ['attestation', 'first-enrollment'];
    await assertRefused(authority, await device.enroll(), 403, controls);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    assert.deepEqual(items, []);
  });
});
