import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parseCertificate, pemToDer } from '#x509';
import { type AcmeClient, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { assertRejected } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { verifyLog } from '../harness/log-findings.ts';

describe('orders that replace a certificate (RFC 9773 section 5)', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newHost = () => authority.host(`host-${(hosts += 1)}.example.org`);
  const issued = async (client: AcmeClient, names: readonly string[]) => {
    const ordered = await client.order(names);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    const done = await client.finalize(ordered.body, orderCsr(names));
    assert.equal(done.body['status'], 'valid', done.text);
    return client.download(done.body);
  };
  const certID = (pem: string) => {
    const { authorityKeyIdentifier, serialNumber } = parseCertificate(pemToDer(pem, 'CERTIFICATE')[0]!);
    const serial = Buffer.from(serialNumber, 'hex');
    const octets = serial[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), serial]) : serial;
    return `${Buffer.from(authorityKeyIdentifier!).toString('base64url')}.${octets.toString('base64url')}`;
  };

  /** With no nonce of an hour ago. */
  const afresh = (client: AcmeClient) => {
    const twin = client.twin(authority.trustPem);
    cleanup.after(() => twin.close());
    return twin;
  };

  test('two at once: one does', async () => {
    const client = await authority.registered();
    const name = newHost();
    const replaces = certID(await issued(client, [name]));
    const twins = Array.from({ length: 6 }, () => client.twin(authority.trustPem));
    const answers = await Promise.all(twins.map((twin) => twin.order([name], { replaces })));
    for (const twin of twins) twin.close();
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      assert.equal(answer.status, 409);
      await assertRejected(authority, answer, 'alreadyReplaced', /another order replaces/);
    }
  });

  test("another account's, one for other names, one that nobody has, and what is no identifier", async () => {
    const client = await authority.registered();
    const name = newHost();
    const replaces = certID(await issued(client, [name]));
    const other = await authority.registered();
    await assertRejected(
      authority,
      await other.order([name], { replaces }),
      'unauthorized',
      /is not of account/,
    );
    await assertRejected(
      authority,
      await client.order([newHost()], { replaces }),
      'malformed',
      /none of these identifiers/,
    );
    const [key, serial] = replaces.split('.') as [string, string];
    for (const [id, words] of [
      [`${key}.AAAA`, /names no certificate/],
      [`AAAA.${serial}`, /names no certificate/],
      [`${key}.${serial}=`, /no certificate identifier/],
      [`${key}.${serial}.x`, /no certificate identifier/],
      [`${key}.`, /no certificate identifier/],
      ['', /no certificate identifier/],
    ] as const) {
      await assertRejected(authority, await client.order([name], { replaces: id }), 'malformed', words);
      if (id.includes('/')) continue;
      const info = await client.get(`${client.directory['renewalInfo']}/${id}`);
      assert.equal(info.status === 404 || info.status === 400, true, info.text);
    }
  });

  test('an order that failed, was given up, or is over stands in nobody’s way', async () => {
    const client = await authority.registered();
    const name = newHost();
    const replaces = certID(await issued(client, [name]));
    const failing = await client.order([name, newHost()], { replaces });
    assert.equal(failing.status, 201, failing.text);
    const inTheWay = await client.order([name], { replaces });
    await assertRejected(authority, inTheWay, 'alreadyReplaced', /another order replaces/);
    await client.prove(failing.body, 'http-01', () => {});
    const url = failing.headers['location']!;
    for (let state = ''; state !== 'invalid';) {
      state = (await client.post(url, null)).body['status'] as string;
    }
    const second = await client.order([name, newHost()], { replaces });
    assert.equal(second.status, 201, second.text);
    const authorizations = second.body['authorizations'] as string[];
    for (const authorization of authorizations) {
      const { body } = await client.post(authorization, null);
      if (body['status'] === 'pending') await client.post(authorization, { status: 'deactivated' });
    }
    const third = await client.order([name], { replaces });
    assert.equal(third.status, 201, third.text);
    authority.advance(2 * 86_400_000);
    const later = afresh(client);
    const fourth = await later.order([name], { replaces });
    assert.equal(fourth.status, 201, fourth.text);
    await later.prove(fourth.body, 'http-01', authority.byHttp);
    assert.equal((await later.finalize(fourth.body, orderCsr([name]))).body['status'], 'valid');
    await assertRejected(
      authority,
      await later.order([name], { replaces }),
      'alreadyReplaced',
      /another order/,
    );
  });

  test('one that waits for an operator is not over, whatever its proofs are', async () => {
    const client = await authority.registered({ names: null, approve: false });
    const name = newHost();
    const approve = async () => {
      const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
      const { id } = items.find(({ device }) => device === authority.ownerOf.get(client))!;
      await authority.admin.client.perform('approveRequest', { id });
    };
    const first = await client.order([name]);
    await client.prove(first.body, 'http-01', authority.byHttp);
    await client.finalize(first.body, orderCsr([name]));
    await approve();
    const done = await client.post(first.headers['location']!, null);
    const replaces = certID(await client.download(done.body));
    const both = [name, newHost()];
    const waiting = await client.order(both, { replaces });
    await client.prove(waiting.body, 'http-01', authority.byHttp);
    assert.equal((await client.finalize(waiting.body, orderCsr(both))).body['status'], 'processing');
    authority.advance(2 * 3_600_000);
    const later = afresh(client);
    await assertRejected(
      authority,
      await later.order([name], { replaces }),
      'alreadyReplaced',
      /another order/,
    );
    await approve();
    const state = await later.post(waiting.headers['location']!, null);
    assert.equal(state.body['status'], 'valid', state.text);
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});
