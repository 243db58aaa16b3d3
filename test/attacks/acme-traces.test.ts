import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { readDatabase } from '#authority';
import { loadConfiguration } from '#config';
import { pemToDer } from '#x509';
import { accountKey, flattened, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

/** Whoever reads what is left: the tree, which is for ever, and the documents beside it after an erasure. */
describe('what an owner of an account leaves in the log', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let device: string;
  const personal = /ida-|mailto|127\.0\.0\.1|owner-/;
  before(async () => {
    authority = await acmeAuthority(cleanup);
    const client = await authority.registered();
    device = authority.ownerOf.get(client)!;
    await client.post(client.kid!, { contact: ['mailto:ida-frank@example.org'] });
    const name = authority.host('ida-laptop.example.org');
    const ordered = await client.order([name]);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    const done = await client.finalize(ordered.body, orderCsr([name]));
    assert.equal(done.body['status'], 'valid', done.text);
    const pem = await client.download(done.body);
    // Refused, each after it is known whose message it is.
    assert.equal((await client.order(['ida-secret.example.com'])).status, 403);
    assert.equal((await client.order(['ida secret'])).status, 400);
    assert.equal((await client.post(client.kid!, { contact: ['ida-frank'] })).status, 400);
    assert.equal((await client.finalize(ordered.body, orderCsr(['ida-other.example.org']))).status, 200);
    const failing = await client.order([authority.host('ida-phone.example.org')]);
    await client.prove(failing.body, 'http-01', () => {});
    const given = await client.order([authority.host('ida-tablet.example.org')]);
    await client.post((given.body['authorizations'] as string[])[0]!, { status: 'deactivated' });
    const certificate = Buffer.from(pemToDer(pem, 'CERTIFICATE')[0]!).toString('base64url');
    assert.equal((await client.post(client.directory['revokeCert']!, { certificate })).status, 200);
    const key = accountKey();
    const url = client.directory['keyChange']!;
    const inner = flattened(
      { alg: key.alg, jwk: key.jwk, url },
      JSON.stringify({ account: client.kid, oldKey: client.key.jwk }),
      key,
    );
    assert.equal((await client.post(url, inner)).status, 200);
    client.key = key;
    await client.post(client.kid!, { status: 'deactivated' });
    assert.equal((await client.order(['ida-late.example.org'])).status, 401);
  });

  test('nothing is left of a device that is erased, whatever its account did', async () => {
    const before = (await entriesOf(authority)).filter((entry) => personal.test(JSON.stringify(entry)));
    assert.ok(before.length >= 15, String(before.length));
    await authority.admin.client.perform('retireDevice', { id: device });
    const erased = await authority.admin.client.perform('eraseDevice', { id: device });
    const left = (await entriesOf(authority)).filter((entry) => personal.test(JSON.stringify(entry)));
    assert.deepEqual(
      left.map((entry) => JSON.stringify(entry)),
      [],
    );
    assert.ok(erased.entries >= before.length);
  });

  test('the log verifies after it', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });

  test('and the tree never had a name, an address or a contact', async () => {
    await authority.running.close();
    const storage = await readDatabase(loadConfiguration(authority.configuration, {}), {});
    const { size } = await storage.log.head();
    const leaves = await storage.log.entries(0, size);
    await storage.close();
    for (const { bytes } of leaves) assert.doesNotMatch(Buffer.from(bytes).toString(), personal);
  });
});
