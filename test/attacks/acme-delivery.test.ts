import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, beforeEach, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { type AcmeClient, type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { OtherSystem, type Reply } from '../harness/other-system.ts';

const agrees: Reply = { body: { decision: 'allow' } };
const refuses: Reply = { body: { decision: 'deny', code: 'no' } };

describe('a certificate that a workflow keeps back', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let validates: Reply | 'hang';
  let delivers: Reply | 'hang';
  before(async () => {
    const mdm = await OtherSystem.start(cleanup, ({ text }) => {
      const { schema } = JSON.parse(text) as { schema: string };
      if (schema === 'sallyport.deliver/1') return delivers;
      return schema === 'sallyport.validate/1' ? validates : agrees;
    });
    const folder = mkdtempSync(path.join(tmpdir(), 'proof-'));
    cleanup.after(() => rmSync(folder, { recursive: true }));
    const key = path.join(folder, 'hook');
    writeFileSync(key, 'a key that both sides have, and nobody else', { mode: 0o600 });
    authority = await acmeAuthority(cleanup, (yaml) => {
      const settings = parse(yaml) as Record<string, Record<string, Record<string, unknown>>>;
      settings['templates']!['web']!['workflows'] = ['mdm'];
      // What an order has already is nothing that it renews.
      Object.assign(settings['templates']!['web']!, { renewalWindow: '1h', renewal: { key: 'new' } });
      settings['workflows'] = {
        mdm: { kind: 'webhook', url: `${mdm.url}/hook`, key: { file: key }, ca: mdm.caFile, timeout: '2s' },
      };
      return stringify(settings, { aliasDuplicateObjects: false });
    });
  });
  beforeEach(() => {
    [validates, delivers] = [agrees, agrees];
  });
  let hosts = 0;
  const newHost = () => authority.host(`host-${(hosts += 1)}.example.org`);
  const ready = async (client: AcmeClient, name: string) => {
    const ordered = await client.order([name]);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    return { ...ordered.body, url: ordered.headers['location']! } as Json & { url: string };
  };
  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;
  const certificateOf = async (client: AcmeClient) => {
    const { items } = await authority.admin.client.perform('listCertificates', {
      device: authority.ownerOf.get(client)!,
    });
    return items[0]!;
  };
  const unavailable: Reply = { status: 500, body: {} };

  test('is shown and delivered to nobody until it may leave, and then the client that polls gets it', async () => {
    const client = await authority.registered();
    const name = newHost();
    const order = await ready(client, name);
    delivers = unavailable;
    const first = await client.finalize(order, orderCsr([name]));
    assert.equal((await newest()).outcome, 'withheld');
    assert.ok(first.status === 503 || first.body['status'] === 'processing', first.text);
    const { sha256 } = await certificateOf(client);
    assert.equal((await client.post(`${authority.base}/acme/certificate/${sha256}`, null)).status, 404);
    const waiting = await client.post(order.url, null);
    assert.deepEqual([waiting.body['status'], waiting.body['certificate']], ['processing', undefined]);
    delivers = agrees;
    const done = await client.post(order.url, null);
    assert.equal(done.body['status'], 'valid', done.text);
    assert.match(await client.download(done.body), /BEGIN CERTIFICATE/);
    assert.equal((await certificateOf(client)).sha256, sha256);
  });

  test('is revoked where a workflow refuses it, and its order is invalid', async () => {
    const client = await authority.registered();
    const name = newHost();
    const order = await ready(client, name);
    delivers = refuses;
    const first = await client.finalize(order, orderCsr([name]));
    assert.equal((await newest()).outcome, 'withdrawn', first.text);
    const { sha256, state } = await certificateOf(client);
    assert.equal(state, 'revoked');
    delivers = agrees;
    const over = await client.post(order.url, null);
    assert.deepEqual([over.body['status'], over.body['certificate']], ['invalid', undefined]);
    assert.equal((await client.post(`${authority.base}/acme/certificate/${sha256}`, null)).status, 404);
    const again = await client.finalize(order, orderCsr([name]));
    assert.equal(again.status, 403, again.text);
  });

  test('a workflow that cannot be reached for a moment ends no order that waits', async () => {
    const client = await authority.registered({ names: null, approve: false });
    const name = newHost();
    const order = await ready(client, name);
    const held = await client.finalize(order, orderCsr([name]));
    assert.equal(held.body['status'], 'processing', held.text);
    validates = unavailable;
    const poll = await client.post(order.url, null);
    assert.equal(poll.body['status'], 'processing', poll.text);
    validates = refuses;
    const over = await client.post(order.url, null);
    assert.equal(over.body['status'], 'invalid', over.text);
  });

  test('nor the order of who asks meanwhile', async () => {
    const client = await authority.registered();
    const name = newHost();
    const order = await ready(client, name);
    const csr = orderCsr([name]);
    validates = unavailable;
    const answer = await client.finalize(order, csr);
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '60'], answer.text);
    assert.equal((await newest()).outcome, 'refused');
    assert.equal((await client.post(order.url, null)).body['status'], 'ready');
    validates = agrees;
    assert.equal((await client.finalize(order, csr)).body['status'], 'valid');
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
