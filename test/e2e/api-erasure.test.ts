import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, callEntriesOf, machine, withApi } from '../harness/api.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

const cleanup = suiteCleanup();

test('a device that is erased is gone from what machines did and asked for it, and the log verifies', async () => {
  const authority = await authorityInProcess(cleanup, withApi);
  const token = await machine(authority, 'mdm');
  const id = 'ida-whose-laptop-it-was';
  await authority.admin.device(id);
  const ask = (template: string) => call(authority, '/v1/secrets', { token, json: { device: id, template } });
  const made = await ask('device');
  assert.equal((await ask('iot')).status, 403);
  await authority.admin.client.perform('suspendDevice', { id });
  assert.equal((await ask('device')).status, 409);
  const named = (await callEntriesOf(authority)).map(({ reason, detail }) => [reason, detail['device']]);
  assert.deepEqual(named, [
    ['template', id],
    ['act', id],
  ]);

  await authority.admin.client.perform('retireDevice', { id });
  await authority.admin.client.perform('eraseDevice', { id });
  // It is not named anew either.
  assert.equal((await ask('iot')).status, 403);
  assert.equal((await ask('device')).status, 404);
  assert.ok(!JSON.stringify(await entriesOf(authority)).includes(id));
  const listed = await call(authority, '/v1/secrets', { token });
  const [secret] = listed.value['items'] as { id: string; device: string; state: string }[];
  assert.deepEqual([secret?.id, secret?.state], [made.value['id'], 'void']);
  assert.match(secret!.device, /^E-/);
  await authority.running.close();
  assert.deepEqual((await verifyLog(authority)).findings, []);
});
