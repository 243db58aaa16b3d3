import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as z from 'zod';
import { parseCertificate } from '#x509';
import { requireClient } from '../clients.ts';
import { call, callEntriesOf, withApi } from '../harness/api.ts';
import {
  anyPorts,
  initAuthority,
  sallyport,
  serveAuthority,
  type ServedAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestCa } from '../harness/pki.ts';
import { ScepClient } from '../harness/scep-client.ts';

const cleanup = suiteCleanup();
const run = promisify(execFile);

describe('a machine at the shipped front door', () => {
  let authority: ServedAuthority;
  let token: string;
  const command = async (...words: string[]) => {
    const { code, stdout, stderr } = await sallyport(...words, '--json', '--config', authority.configuration);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  before(async () => {
    const files = await initAuthority(cleanup, (yaml) => withApi(anyPorts(yaml)));
    authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
    const scopes = ['secrets:create', 'secrets:list', 'secrets:void'];
    const may = ['--scope', ...scopes, '--template', 'device', '--source', '127.0.0.1'];
    token = String((await command('machine', 'create', 'mdm', ...may))['token']);
    for (const id of ['laptop-1', 'laptop-2', 'laptop-7']) {
      await authority.admin.device(id, { approveFor: ['device'] });
    }
  });

  const secretFor = async (device: string) => {
    const { status, value, text } = await call(authority, '/v1/secrets', {
      token,
      json: { device, template: 'device' },
    });
    assert.equal(status, 200, text);
    return { secret: String(value['secret']), id: String(value['id']) };
  };

  test('creates a secret with which a device enrolls by EST', async () => {
    const { secret, id } = await secretFor('laptop-1');
    const answer = await est({
      url: `${authority.est}/simpleenroll`,
      body: base64(csrFor('laptop-1', makeKey())),
      user: ['laptop-1', secret],
      trust: authority.trustPem,
    });
    assert.equal(answer.status, 200, answer.text);
    const { value } = await call(authority, '/v1/secrets', { token });
    const listed = value['items'] as { id: string; state: string; createdBy: string }[];
    const { state, createdBy } = listed.find((each) => each.id === id)!;
    assert.deepEqual([state, createdBy], ['spent', 'machine:mdm']);
  });

  test('creates a secret with which a device enrolls by SCEP', async () => {
    const { secret: challengePassword } = await secretFor('laptop-2');
    const key = makeKey('rsa-2048');
    const client = await ScepClient.at(`${authority.scep}/device`);
    const answer = await client.ask({ content: csrFor('laptop-2', key, { challengePassword }), key });
    assert.equal(answer.pkiStatus, 'success', answer.text);
    const certificate = parseCertificate(answer.certificates[0]!);
    assert.deepEqual(Buffer.from(certificate.spki), Buffer.from(key.spki));
  });

  test('voids what it made, once', async () => {
    const { id } = await secretFor('laptop-1');
    const revoke = () => call(authority, `/v1/secrets/${id}/revoke`, { token, method: 'POST' });
    assert.equal((await revoke()).status, 200);
    assert.equal((await revoke()).status, 409);
  });

  test('proves itself by a pinned certificate alone', async () => {
    const client = TestCa.root('Machines').endEntity({ subject: [{ type: 'commonName', value: 'mdm' }] });
    const file = path.join(authority.directory, 'mdm.pem');
    await writeFile(file, client.pem);
    await command('machine', 'pin', 'mdm', '--certificate', file);
    const { status, value } = await call(authority, '/v1/secrets', { client });
    assert.equal(status, 200);
    assert.ok((value['items'] as unknown[]).length > 0);
  });

  test('is in the log with each call: its acts as acts, the rest as calls, and no secret in any', async () => {
    const { secret, id } = await secretFor('laptop-1');
    await call(authority, '/v1/secrets', { token });
    await call(authority, '/v1/secrets', {});
    const entries = await entriesOf(authority);
    const act = entries.find(
      ({ type, detail }) => type === 'act' && (detail as { secret?: string }).secret === id,
    )!;
    assert.equal(act['operator'], 'machine:mdm');
    const { listener, address, tls } = act['source'] as Record<string, unknown>;
    assert.deepEqual([listener, address], ['api', '127.0.0.1']);
    assert.equal((tls as { version: string }).version, 'TLSv1.3');
    const calls = (await callEntriesOf(authority)).slice(-2);
    assert.deepEqual(
      calls.map(({ machine, act: asked, outcome, reason }) => [machine, asked, outcome, reason]),
      [
        ['mdm', 'secret.list', 'done', null],
        [null, 'secret.list', 'refused', 'credential-missing'],
      ],
    );
    assert.ok(!JSON.stringify(entries).includes(secret));
    assert.ok(!JSON.stringify(entries).includes(token.slice(12)));

    const shown = async (...words: string[]) =>
      (await sallyport('log', ...words, '--config', authority.configuration)).stdout;
    const refused = await shown('show', calls[1]!.id);
    assert.match(refused, /refused by +credential-missing\n/);
    assert.match(refused, /from +127\.0\.0\.1 at listener api, TLSv1\.3/);
    assert.match(await shown('show', String(act['id'])), /from +127\.0\.0\.1 at listener api/);
    assert.match(await shown('tail'), /refused +127\.0\.0\.1 +secret\.list credential-missing/);
  });

  test('is told what there is in a document that its answers keep to', async () => {
    const { status, value: document, headers } = await call(authority, '/v1/openapi.json', { token });
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(document['openapi'], '3.1.0');
    const paths = document['paths'] as Record<string, Record<string, Operation>>;
    assert.deepEqual(Object.keys(paths), [
      '/v1/secrets',
      '/v1/secrets/{id}/revoke',
      '/v1/external-account-keys',
      '/v1/external-account-keys/{id}/void',
      '/v1/openapi.json',
    ]);
    const schemaOf = (at: string, method: string) =>
      z.fromJSONSchema(paths[at]![method]!.responses['200']!.content['application/json']!.schema);
    const created = await call(authority, '/v1/secrets', {
      token,
      json: {
        device: 'laptop-1',
        template: 'device',
        subjectAltName: [{ kind: 'dns', value: 'laptop-1.example.com' }],
      },
    });
    schemaOf('/v1/secrets', 'post').parse(created.value);
    const listed = await call(authority, '/v1/secrets', { token });
    assert.ok((listed.value['items'] as unknown[]).length > 3);
    schemaOf('/v1/secrets', 'get').parse(listed.value);
    const path = `/v1/secrets/${String(created.value['id'])}/revoke`;
    const revoked = await call(authority, path, { token, method: 'POST' });
    schemaOf('/v1/secrets/{id}/revoke', 'post').parse(revoked.value);
    // It holds for these and not for anything.
    assert.throws(() => schemaOf('/v1/secrets', 'get').parse(created.value));
    const { schemas } = document['components'] as { schemas: Record<string, JsonSchema> };
    z.fromJSONSchema(schemas['Problem']!).parse((await call(authority, '/v1/secrets')).value);
    const body = paths['/v1/secrets']!['post']!.requestBody!.content['application/json']!.schema;
    z.fromJSONSchema(body).parse({ device: 'laptop-1', template: 'device' });
    assert.throws(() => z.fromJSONSchema(body).parse({ device: 'laptop-1' }));
  });

  test('calls as docs/api.md says, with curl', async (t) => {
    const curl = requireClient(t, 'curl');
    if (curl === null) return;
    const page = await readFile(path.resolve(import.meta.dirname, '../../docs/api.md'), 'utf8');
    const lines = page.split('\n').filter((line) => line.startsWith('curl '));
    assert.equal(lines.length, 4);
    const header = /`(echo [^`]+)`/.exec(page)![1]!;
    const shell = async (line: string, more: Record<string, string> = {}) => {
      const env = { ...process.env, API: authority.api, TRUST: authority.trust, TOKEN: token, ...more };
      const { stdout } = await run('sh', ['-c', line], { cwd: authority.directory, env });
      return stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
    };
    await shell(header);
    const created = await shell(lines[0]!);
    assert.equal(created['device'], 'laptop-7');
    const listed = await shell(lines[1]!);
    assert.ok((listed['items'] as { id: string }[]).some(({ id }) => id === created['id']));
    assert.equal((await shell(lines[2]!, { ID: String(created['id']) }))['state'], 'void');
    assert.equal((await shell(lines[3]!))['openapi'], '3.1.0');
  });

  test('is revoked, and the log verifies with all of it', async () => {
    const rotated = String((await command('machine', 'rotate', 'mdm', '--at-once'))['token']);
    assert.equal((await call(authority, '/v1/secrets', { token })).status, 401);
    assert.equal((await call(authority, '/v1/secrets', { token: rotated })).status, 200);
    await command('machine', 'revoke', 'mdm');
    assert.equal((await call(authority, '/v1/secrets', { token: rotated })).status, 401);
    const listed = await sallyport('machine', 'list', '--config', authority.configuration);
    assert.match(listed.stdout, /mdm +revoked +secrets:create secrets:list secrets:void +device +0 +-/);
    await authority.stop();
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});

interface Operation {
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Content {
  readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
