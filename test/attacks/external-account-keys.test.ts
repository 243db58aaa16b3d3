import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as z from 'zod';
import { withAccountTemplate } from '../harness/account-template.ts';
import { type ApiAnswer, type ApiRequest, call, callEntriesOf, machine, withApi } from '../harness/api.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

const cleanup = suiteCleanup();
const at = '/v1/external-account-keys';

describe('what a machine may do with external account keys, and what not', () => {
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let token: string;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) => withAccountTemplate(withApi(yaml)));
    token = await machine(authority, 'mdm', { templates: ['web'] });
    await authority.admin.device('web-1', { deviceClass: 'server' });
    await authority.admin.device('laptop-1');
  });

  const wanted = { device: 'web-1', templates: ['web'] };
  const create = (json: object = wanted, request: ApiRequest = {}) =>
    call(authority, at, { token, json, ...request });
  const end = (id: string, request: ApiRequest = {}) =>
    call(authority, `${at}/${id}/void`, { token, method: 'POST', ...request });
  const keys = async (filter: { state?: 'live' | 'void' } = {}) =>
    (await authority.admin.client.perform('listExternalAccountKeys', filter)).items;

  /** The one objection in the log, and nothing was made. */
  async function refused(answer: ApiAnswer, status: number, reason: string): Promise<void> {
    assert.equal(answer.status, status, answer.text);
    const entry = (await callEntriesOf(authority)).at(-1)!;
    assert.deepEqual([entry.outcome, entry.reason], ['refused', reason]);
    assert.equal(answer.value['entry'], entry.id);
  }

  test('it makes a key within its templates, lists it, and ends it once, as the document says', async () => {
    const { value: document } = await call(authority, '/v1/openapi.json', { token });
    const paths = document['paths'] as Record<string, Record<string, Operation>>;
    const schemaOf = (path: string, method: string) =>
      z.fromJSONSchema(paths[path]![method]!.responses['200']!.content['application/json']!.schema);
    const names = ['www.example.org', '.web.example.org'];
    const created = await create({ ...wanted, names, maximumCertificates: 2, lifetimeSeconds: 600 });
    assert.equal(created.status, 200, created.text);
    schemaOf(at, 'post').parse(created.value);
    const { keyId, hmacKey, approved } = created.value as Record<string, string>;
    assert.equal(Buffer.from(hmacKey!, 'base64url').length, 32);
    assert.equal(approved, false);
    const listed = await call(authority, `${at}?device=web-1`, { token });
    schemaOf(at, 'get').parse(listed.value);
    const [item] = listed.value['items'] as Record<string, unknown>[];
    assert.deepEqual([item!['id'], item!['state'], item!['names']], [keyId, 'live', names]);
    assert.deepEqual([item!['createdBy'], item!['approvedBy']], ['machine:mdm', null]);
    assert.ok(!listed.text.includes(hmacKey!));
    const voided = await end(keyId!, { json: { remark: 'web-1 is gone' } });
    schemaOf(`${at}/{id}/void`, 'post').parse(voided.value);
    await refused(await end(keyId!), 409, 'act');
    const entries = await entriesOf(authority);
    const acts = entries.filter(({ operator }) => operator === 'machine:mdm').map(({ act }) => act);
    assert.deepEqual(acts, ['eab.create', 'eab.void']);
    assert.ok(!JSON.stringify(entries).includes(hmacKey!));
  });

  test('it approves nothing: first enrollments are for an operator, whatever it says', async () => {
    const before = (await keys()).length;
    const named = { ...wanted, names: ['www.example.org'] };
    for (const more of [{ approve: true }, { approve: false }, { approvedBy: 'ada' }, { by: 'ada' }]) {
      await refused(await create({ ...named, ...more }), 400, 'request');
    }
    assert.equal((await keys()).length, before);
  });

  test('it asks for a template that is none of its own, alone or beside one that is', async () => {
    const other = await machine(authority, 'other', { templates: ['device'] });
    await refused(await create(wanted, { token: other }), 403, 'template');
    await refused(await create({ ...wanted, templates: ['web', 'device'] }), 403, 'template');
    const entry = (await callEntriesOf(authority)).at(-1)!;
    assert.deepEqual(entry.detail, { device: 'web-1', template: 'device' });
    // A template of its own that takes no accounts.
    await refused(await create({ device: 'laptop-1', templates: ['device'] }, { token: other }), 403, 'act');
  });

  test('it asks for a device that may not have the template, or for none that there is', async () => {
    await refused(await create({ ...wanted, device: 'laptop-1' }), 403, 'act');
    await refused(await create({ ...wanted, device: 'nobody' }), 404, 'act');
    const unknown = (await callEntriesOf(authority)).at(-1)!;
    assert.deepEqual([unknown.detail, unknown.error?.message], [{ template: 'web' }, '']);
  });

  test('it asks for names that the template would never admit', async () => {
    for (const name of ['www.example.net', '.example.net', 'evilexample.org', '10.0.0.7']) {
      await refused(await create({ ...wanted, names: ['www.example.org', name] }), 403, 'act');
    }
    await refused(await create({ ...wanted, names: ['*'] }), 400, 'request');
    await refused(await create({ ...wanted, names: [] }), 400, 'request');
    await refused(await create({ ...wanted, maximumCertificates: 0 }), 400, 'request');
    await refused(await create({ ...wanted, lifetimeSeconds: 31_536_000 }), 400, 'request');
  });

  test('its scopes are each for one thing, and those of secrets for none of these', async () => {
    const of = (name: string, scope: Parameters<typeof machine>[2]) => machine(authority, name, scope);
    const templates = ['web'];
    const secrets = await of('secrets', {
      templates,
      scopes: ['secrets:create', 'secrets:list', 'secrets:void'],
    });
    await refused(await create(wanted, { token: secrets }), 403, 'scope');
    await refused(await call(authority, at, { token: secrets }), 403, 'scope');
    const creates = await of('creates', { templates, scopes: ['eab:create'] });
    const made = await create(wanted, { token: creates });
    assert.equal(made.status, 200, made.text);
    await refused(await call(authority, at, { token: creates }), 403, 'scope');
    await refused(await end(String(made.value['keyId']), { token: creates }), 403, 'scope');
    const json = { device: 'web-1', template: 'device' };
    await refused(await call(authority, '/v1/secrets', { token: creates, json }), 403, 'scope');
  });

  test("it sees and ends neither an operator's, nor another machine's, nor one that there is not", async () => {
    const { keyId } = await authority.admin.client.perform('createExternalAccountKey', wanted);
    const other = await machine(authority, 'another', { templates: ['web'] });
    const made = await create(wanted, { token: other });
    const answers: ApiAnswer[] = [];
    for (const id of [keyId, String(made.value['keyId'])]) {
      const answer = await end(id);
      await refused(answer, 404, 'not-own');
      answers.push(answer);
    }
    const nothing = await end('K-0');
    await refused(nothing, 404, 'act');
    const told = (answer: ApiAnswer) => String(answer.value['detail']).replace(/K-[0-9A-Z-]+/, 'ID');
    assert.equal(new Set([...answers, nothing].map(told)).size, 1);
    const listed = await call(authority, at, { token });
    const makers = (listed.value['items'] as { createdBy: string }[]).map(({ createdBy }) => createdBy);
    assert.deepEqual(new Set(makers), new Set(['machine:mdm']));
  });

  test('what it made and nobody has spent is void with it; accounts and their acts are not there', async () => {
    for (const path of ['/v1/accounts', '/v1/accounts/x/revoke', `${at}/K-1`]) {
      await refused(await call(authority, path, { token }), 404, 'path');
    }
    const thief = await machine(authority, 'stolen', { templates: ['web'] });
    const made = String((await create(wanted, { token: thief })).value['keyId']);
    const { externalAccountKeys } = await authority.admin.client.perform('revokeMachine', { name: 'stolen' });
    assert.equal(externalAccountKeys, 1);
    assert.equal((await keys({ state: 'void' })).find(({ id }) => id === made)?.state, 'void');
  });

  test('a device that is erased is gone from what machines did, and the log verifies', async () => {
    await authority.admin.client.perform('retireDevice', { id: 'web-1' });
    await authority.admin.client.perform('eraseDevice', { id: 'web-1' });
    assert.doesNotMatch(JSON.stringify(await entriesOf(authority)), /web-1"|www\.example\.org/);
    assert.deepEqual(await keys(), []);
    await authority.running.close();
    assert.deepEqual((await verifyLog(authority)).findings, []);
  });
});

interface Operation {
  readonly responses: Readonly<Record<string, Content>>;
}

interface Content {
  readonly content: Readonly<Record<string, { readonly schema: Parameters<typeof z.fromJSONSchema>[0] }>>;
}
