import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { type AccountKey, type AcmeClient, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { issue, namesOf, problemOf, readyOrder, statusOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, makeCsr, makeKey } from '../harness/csr.ts';

describe('RFC 8555, section 7.4, finalization:', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newName = () => `finalization-${(hosts += 1)}.example.org`;

  test('of an order that is pending, or invalid, is 403 and orderNotReady', async () => {
    const client = await authority.registered();
    const name = newName();
    const { body } = await client.order([name]);
    assert.deepEqual(problemOf(await client.finalize(body, orderCsr([name]))), [403, 'orderNotReady']);
    await client.post((body['authorizations'] as string[])[0]!, { status: 'deactivated' });
    assert.deepEqual(problemOf(await client.finalize(body, orderCsr([name]))), [403, 'orderNotReady']);
  });

  test('is 200 with the order and its Location, and the certificate when it is valid', async () => {
    const client = await authority.registered();
    const name = newName();
    const { order, url } = await readyOrder(authority, client, [name]);
    const done = await client.finalize(order, orderCsr([name]));
    assert.deepEqual([done.status, statusOf(done), done.headers['location']], [200, 'valid', url]);
    assert.ok(Date.parse(done.body['expires'] as string) > Date.now());
    assert.match(done.body['certificate'] as string, /\/acme\/certificate\/[0-9a-f]{64}$/);
    assert.deepEqual((await client.post(url, null)).body, done.body);
  });

  test('again is the order as it stands, and no other certificate', async () => {
    const client = await authority.registered();
    const name = newName();
    const { order } = await issue(authority, client, [name]);
    const again = await client.finalize(order, orderCsr([name]));
    assert.deepEqual([again.status, again.body], [200, order]);
  });

  test('names may be in commonName, in subjectAltName or in both, in any order and case', async () => {
    const client = await authority.registered();
    const names = [newName(), newName()];
    const [first, second] = names as [string, string];
    const san = (...values: string[]) => values.map((value) => ({ kind: 'dns', value }) as const);
    for (const [subject, subjectAltName] of [
      [first, san(second)],
      [first, san(second, first)],
      [null, san(second.toUpperCase(), first)],
    ] as const) {
      const { order } = await readyOrder(authority, client, names);
      const csr = makeCsr({
        key: makeKey(),
        subject: subject === null ? [] : [{ type: 'commonName', value: subject }],
        subjectAltName,
      });
      const done = await client.finalize(order, csr);
      assert.equal(statusOf(done), 'valid', done.text);
      assert.deepEqual(namesOf(await client.download(done.body)), names.toSorted());
    }
  });

  describe('is badCSR, and the order stays ready, where the request', () => {
    const asClientKey = (key: AccountKey): ClientKey => ({
      algorithm: 'ec-p256',
      privateKey: key.privateKey,
      spki: Buffer.from(spkiOf(key)),
    });
    const dns = (value: string) => ({ kind: 'dns', value }) as const;
    const cases: [string, (names: string[], client: AcmeClient) => Buffer | Promise<Buffer>][] = [
      ['has one name more', (names) => orderCsr([...names, 'more.example.org'])],
      ['has one name less', (names) => orderCsr(names.slice(1))],
      ['has another name', (names) => orderCsr([...names.slice(1), 'more.example.org'])],
      ['has the wildcard of a name', (names) => orderCsr([...names.slice(1), `*.${names[0]}`])],
      ['has no name', () => makeCsr({ key: makeKey() })],
      [
        'has an address beside the names',
        (names) =>
          makeCsr({
            key: makeKey(),
            subjectAltName: [...names.map(dns), { kind: 'ip', value: '127.0.0.1' }],
          }),
      ],
      [
        'has a mail address beside the names',
        (names) =>
          makeCsr({
            key: makeKey(),
            subjectAltName: [...names.map(dns), { kind: 'email', value: 'a@example.org' }],
          }),
      ],
      [
        'has another commonName',
        (names) =>
          makeCsr({
            key: makeKey(),
            subject: [{ type: 'commonName', value: 'more.example.org' }],
            subjectAltName: names.map(dns),
          }),
      ],
      ['has the key of the account', (names, client) => orderCsr(names, asClientKey(client.key))],
      [
        'has the key of another account',
        async (names) => orderCsr(names, asClientKey((await authority.registered()).key)),
      ],
      [
        'is signed by another key',
        (names) => makeCsr({ key: makeKey(), subjectAltName: names.map(dns), signWith: makeKey() }),
      ],
      ['is no DER', () => Buffer.from('x')],
    ];
    for (const [name, make] of cases) {
      test(name, async () => {
        const client = await authority.registered();
        const names = [newName(), newName()];
        const { order, url } = await readyOrder(authority, client, names);
        const csr = await make(names, client);
        const refused = await client.finalize(order, csr);
        assert.deepEqual(problemOf(refused), [400, 'badCSR'], refused.text);
        assert.ok(String(refused.body['detail']).length > 10);
        assert.equal(statusOf(await client.post(url, null)), 'ready');
        assert.equal(statusOf(await client.finalize(order, orderCsr(names))), 'valid');
      });
    }

    test('is PEM, or has padding', async () => {
      const client = await authority.registered();
      const name = newName();
      const { order } = await readyOrder(authority, client, [name]);
      const url = order['finalize'] as string;
      for (const csr of [
        `-----BEGIN CERTIFICATE REQUEST-----`,
        `${orderCsr([name]).toString('base64url')}=`,
      ]) {
        assert.deepEqual(problemOf(await client.post(url, { csr })), [400, 'badCSR']);
      }
      for (const payload of [{}, { csr: 7 }]) {
        assert.deepEqual(problemOf(await client.post(url, payload)), [400, 'malformed']);
      }
    });
  });

  test('what waits for an operator is processing, with Retry-After, and is not finalized with another key', async () => {
    const client = await authority.registered({ names: null, approve: false });
    const name = newName();
    const { order, url } = await readyOrder(authority, client, [name]);
    const held = await client.finalize(order, orderCsr([name]));
    assert.deepEqual([held.status, statusOf(held)], [200, 'processing']);
    assert.ok(Number(held.headers['retry-after']) >= 1);
    assert.equal('certificate' in held.body, false);
    assert.equal(statusOf(await client.finalize(order, orderCsr([name]))), 'processing');
    const polled = await client.post(url, null);
    assert.deepEqual([polled.status, statusOf(polled)], [200, 'processing']);
    assert.ok(Number(polled.headers['retry-after']) >= 1);
  });

  test('of another account is unauthorized', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const name = newName();
    const { order } = await readyOrder(authority, client, [name]);
    assert.deepEqual(problemOf(await other.finalize(order, orderCsr([name]))), [403, 'unauthorized']);
  });
});

function spkiOf({ privateKey }: AccountKey): Uint8Array {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}
