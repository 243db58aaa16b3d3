import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AcmeAnswer, AcmeClient } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { encodedLeaf, issue, leafOf, problemOf, statusOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { TestDevice } from '../harness/test-device.ts';

const hours = 3_600_000;

/** Section 4.1. */
function certIDOf(pem: string): string {
  const { authorityKeyIdentifier, serialNumber } = leafOf(pem);
  const octets = Buffer.from(serialNumber, 'hex');
  const serial = octets[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
  return `${Buffer.from(authorityKeyIdentifier!).toString('base64url')}.${serial.toString('base64url')}`;
}

function windowOf({ body }: AcmeAnswer): { start: number; end: number } {
  const { start, end } = body['suggestedWindow'] as { start: string; end: string };
  for (const time of [start, end]) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
  return { start: Date.parse(start), end: Date.parse(end) };
}

describe('RFC 9773', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newName = () => `renewal-${(hosts += 1)}.example.org`;
  const ask = (client: AcmeClient, certID: string) =>
    client.get(`${client.directory['renewalInfo']}/${certID}`);

  describe('section 4, renewal information:', () => {
    test('3: the directory has its address', async () => {
      const client = await authority.client();
      assert.equal(client.directory['renewalInfo'], `${authority.base}/acme/web/renewal-info`);
      const all = await authority.client(null);
      assert.equal(all.directory['renewalInfo'], `${authority.base}/acme/renewal-info`);
    });

    test('4.2: is a window that begins before it ends, within the lifetime, and Retry-After, for who has no account', async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      const anybody = await authority.client();
      const answer = await ask(anybody, certIDOf(pem));
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/json']);
      const { start, end } = windowOf(answer);
      const { notBefore, notAfter } = leafOf(pem);
      assert.ok(notBefore < start && start < end && end < notAfter);
      assert.equal(answer.headers['retry-after'], '21600');
      assert.deepEqual(Object.keys(answer.body), ['suggestedWindow']);
    });

    test('4.2: of a certificate that was revoked the window is in the past, and never empty', async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      await client.post(client.directory['revokeCert']!, { certificate: encodedLeaf(pem) });
      const { start, end } = windowOf(await ask(client, certIDOf(pem)));
      assert.ok(start < end && end <= Date.now());
    });

    test('4.1: an identifier of no certificate is 404', async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      const [key, serial] = certIDOf(pem).split('.') as [string, string];
      const foreign = Buffer.alloc(20, 7).toString('base64url');
      for (const certID of [`${key}.AQ`, `${foreign}.${serial}`, `${serial}.${key}`]) {
        assert.deepEqual(problemOf(await ask(client, certID)), [404, 'malformed'], certID);
      }
    });

    test('4.1: what is no identifier is malformed, and one with padding is not taken', async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      for (const certID of ['x', `${certIDOf(pem)}=`, `${certIDOf(pem)}.x`, '.', 'a%20b.c']) {
        assert.deepEqual(problemOf(await ask(client, certID)), [400, 'malformed'], certID);
      }
    });

    test('4.1: a serial number that is not as DER has it names no certificate', async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      const { authorityKeyIdentifier, serialNumber } = leafOf(pem);
      const octets = Buffer.from(serialNumber, 'hex');
      const other = octets[0]! >= 0x80 ? octets : Buffer.concat([Buffer.of(0), octets]);
      const certID = `${Buffer.from(authorityKeyIdentifier!).toString('base64url')}.${other.toString('base64url')}`;
      assert.deepEqual(problemOf(await ask(client, certID)), [404, 'malformed']);
    });

    test('of a certificate that no account ordered it is 404', async () => {
      const client = await authority.client();
      const device = await TestDevice.expected(authority, 'laptop-without-account');
      await device.enroll();
      const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(device.certificate!).toString('base64')}\n-----END CERTIFICATE-----\n`;
      assert.deepEqual(problemOf(await ask(client, certIDOf(pem))), [404, 'malformed']);
    });

    test('is asked for by GET: a POST is 405', async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      const posted = await client.post(`${client.directory['renewalInfo']}/${certIDOf(pem)}`, null);
      assert.deepEqual(problemOf(posted), [405, 'malformed']);
    });
  });

  describe('section 5, replaces:', () => {
    test('is reflected by the order, now and later', async () => {
      const client = await authority.registered();
      const name = newName();
      const first = await issue(authority, client, [name]);
      assert.equal('replaces' in first.order, false);
      const replaces = certIDOf(first.pem);
      const ordered = await client.order([name], { replaces });
      assert.deepEqual([ordered.status, ordered.body['replaces']], [201, replaces]);
      const read = await client.post(ordered.headers['location']!, null);
      assert.equal(read.body['replaces'], replaces);
      const second = await issue(authority, client, [name], {
        replaces: certIDOf((await issue(authority, client, [name])).pem),
      });
      assert.equal(typeof second.order['replaces'], 'string');
    });

    test('a certificate that is replaced by an order already is 409 and alreadyReplaced', async () => {
      const client = await authority.registered();
      const name = newName();
      const replaces = certIDOf((await issue(authority, client, [name])).pem);
      await issue(authority, client, [name], { replaces });
      assert.deepEqual(problemOf(await client.order([name], { replaces })), [409, 'alreadyReplaced']);
      const open = certIDOf((await issue(authority, client, [name])).pem);
      assert.equal((await client.order([name], { replaces: open })).status, 201);
      assert.deepEqual(problemOf(await client.order([name], { replaces: open })), [409, 'alreadyReplaced']);
    });

    test('an order that became invalid replaces nothing: another one may', async () => {
      const client = await authority.registered();
      const name = newName();
      const replaces = certIDOf((await issue(authority, client, [name])).pem);
      const other = newName();
      const failing = await client.order([name, other], { replaces });
      const [, url] = failing.body['authorizations'] as string[];
      await client.post(url!, { status: 'deactivated' });
      assert.equal(statusOf(await client.post(failing.headers['location']!, null)), 'invalid');
      const again = await client.order([name], { replaces });
      assert.deepEqual([again.status, again.body['replaces']], [201, replaces]);
      const first = await client.post(failing.headers['location']!, null);
      assert.equal(statusOf(first), 'invalid');
    });

    test('a certificate of another account is unauthorized', async () => {
      const [client, other] = [await authority.registered(), await authority.registered()];
      const name = newName();
      const replaces = certIDOf((await issue(authority, client, [name])).pem);
      assert.deepEqual(problemOf(await other.order([name], { replaces })), [403, 'unauthorized']);
      assert.equal((await client.order([name], { replaces })).status, 201);
    });

    test('one that shares no identifier is refused, and one that shares some is not', async () => {
      const client = await authority.registered();
      const [one, two] = [newName(), newName()];
      const replaces = certIDOf((await issue(authority, client, [one])).pem);
      assert.deepEqual(problemOf(await client.order([two], { replaces })), [400, 'malformed']);
      assert.equal((await client.order([two, one], { replaces })).status, 201);
    });

    test('what names no certificate is malformed', async () => {
      const client = await authority.registered();
      for (const replaces of ['x', 7, null, 'AAAA.AQ']) {
        assert.deepEqual(problemOf(await client.order([newName()], { replaces })), [400, 'malformed']);
      }
    });
  });

  test('the window opens when a renewal is taken, where the profile says from when', async () => {
    const own = await acmeAuthority(cleanup, (yaml) =>
      yaml.replaceAll('renewalWindow: always', 'renewalWindow: 20d'),
    );
    const client = await own.registered();
    const { pem } = await issue(own, client, ['window.example.org']);
    const { start } = windowOf(await ask(client, certIDOf(pem)));
    assert.equal(start, leafOf(pem).notAfter - 20 * 24 * hours);
  });
});
