import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parseCertificateList } from '#x509';
import type { AccountKey, AcmeClient, Json } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import {
  encodedLeaf,
  issue,
  type IssuedOrder,
  leafOf,
  problemOf,
  readyOrder,
} from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { publicDocument } from '../harness/public-document.ts';

/** Its object identifier, DER. */
const reasonCode = Buffer.from('0603551d15', 'hex');

describe('RFC 8555, section 7.6, revocation:', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newName = () => `revocation-${(hosts += 1)}.example.org`;
  const revoke = (client: AcmeClient, pem: string, more: Json = {}) =>
    client.post(client.directory['revokeCert']!, { certificate: encodedLeaf(pem), ...more });
  /** Signed by the key of a certificate, by somebody without an account. */
  const revokeByKey = async ({ pem, key }: Pick<IssuedOrder, 'pem' | 'key'>) => {
    const signer: AccountKey = {
      alg: key.algorithm === 'ec-p384' ? 'ES384' : 'ES256',
      privateKey: key.privateKey,
      jwk: createPublicKey(key.privateKey).export({ format: 'jwk' }) as Json,
    };
    return revoke(await authority.client('web', signer), pem);
  };
  const found = async (pem: string) => {
    const { items } = await authority.admin.client.perform('listCertificates', { state: 'revoked' });
    return items.find(({ serialNumber }) => serialNumber === leafOf(pem).serialNumber);
  };

  /** In the CRL, which is made anew right after the answer. */
  const listed = async (serialNumber: string) => {
    for (const until = Date.now() + 20_000; Date.now() < until; await setTimeout(20)) {
      const { body } = await publicDocument(authority, '/crl/issuing.crl');
      const entry = parseCertificateList(body).revoked.find((each) => each.serialNumber === serialNumber);
      if (entry !== undefined) return { entry, body };
    }
    throw new Error(`${serialNumber} is in no CRL`);
  };

  test('by the account that it was issued to: 200 without a body', async () => {
    const client = await authority.registered();
    const { pem } = await issue(authority, client, [newName()]);
    const revoked = await revoke(client, pem);
    assert.deepEqual([revoked.status, revoked.text], [200, '']);
    assert.ok(revoked.headers['replay-nonce']);
    assert.ok(await found(pem));
  });

  test('by the key of the certificate, as jwk, without an account', async () => {
    const client = await authority.registered();
    const issued = await issue(authority, client, [newName()]);
    assert.equal((await revokeByKey(issued)).status, 200);
    assert.ok(await found(issued.pem));
  });

  test('by another account that is authorized for all of its names', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const names = [newName(), newName()];
    const { pem } = await issue(authority, client, names);
    await readyOrder(authority, other, names.slice(1));
    assert.deepEqual(problemOf(await revoke(other, pem)), [403, 'unauthorized']);
    await readyOrder(authority, other, names);
    assert.equal((await revoke(other, pem)).status, 200);
    assert.ok(await found(pem));
  });

  test('not by an account whose authorization was deactivated', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const name = newName();
    const { pem } = await issue(authority, client, [name]);
    const { order } = await readyOrder(authority, other, [name]);
    await other.post((order['authorizations'] as string[])[0]!, { status: 'deactivated' });
    assert.deepEqual(problemOf(await revoke(other, pem)), [403, 'unauthorized']);
    assert.equal(await found(pem), undefined);
  });

  test('not by another account, and not by another key', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const { pem } = await issue(authority, client, [newName()]);
    assert.deepEqual(problemOf(await revoke(other, pem)), [403, 'unauthorized']);
    assert.deepEqual(problemOf(await revokeByKey({ pem, key: makeKey() })), [403, 'unauthorized']);
    assert.equal(await found(pem), undefined);
  });

  test('not by the key of the account as jwk', async () => {
    const client = await authority.registered();
    const { pem } = await issue(authority, client, [newName()]);
    const payload = { certificate: encodedLeaf(pem) };
    const refused = await client.post(client.directory['revokeCert']!, payload, { by: 'jwk' });
    assert.deepEqual(problemOf(refused), [403, 'unauthorized']);
  });

  test('twice is alreadyRevoked, told to who may revoke it alone', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const { pem } = await issue(authority, client, [newName()]);
    assert.equal((await revoke(client, pem)).status, 200);
    assert.deepEqual(problemOf(await revoke(client, pem)), [400, 'alreadyRevoked']);
    assert.deepEqual(problemOf(await revoke(other, pem)), [403, 'unauthorized']);
  });

  for (const reason of [undefined, 0, 1, 3, 4, 5]) {
    test(`reason ${reason} is taken, and is that of the CRL`, async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      assert.equal((await revoke(client, pem, { reason })).status, 200);
      const { entry, body } = await listed(leafOf(pem).serialNumber);
      assert.equal(entry.reason, reason ?? 0);
      // So far nothing was revoked for a reason: the extension is in none of the entries.
      if (entry.reason === 0) assert.equal(body.includes(reasonCode), false);
    });
  }

  for (const reason of [2, 6, 7, 8, 9, 10, 11, -1, 1.5, '1', null]) {
    test(`reason ${JSON.stringify(reason)} is badRevocationReason, and the detail lists those that are taken`, async () => {
      const client = await authority.registered();
      const { pem } = await issue(authority, client, [newName()]);
      const refused = await revoke(client, pem, { reason });
      assert.deepEqual(problemOf(refused), [400, 'badRevocationReason']);
      assert.match(String(refused.body['detail']), /0, 1, 3, 4, 5/);
      assert.equal(await found(pem), undefined);
    });
  }

  test('what is no certificate in base64url is malformed', async () => {
    const client = await authority.registered();
    const { pem } = await issue(authority, client, [newName()]);
    for (const certificate of [undefined, 7, pem, `${encodedLeaf(pem)}=`]) {
      const refused = await client.post(client.directory['revokeCert']!, { certificate });
      assert.deepEqual(problemOf(refused), [400, 'malformed']);
    }
  });

  test('a certificate that nobody ordered here is not there', async () => {
    const client = await authority.registered();
    for (const certificate of [
      'AAAA',
      encodedLeaf(authority.trustPem),
      csrFor('x', makeKey()).toString('base64url'),
    ]) {
      const refused = await client.post(client.directory['revokeCert']!, { certificate });
      assert.deepEqual(problemOf(refused), [404, 'malformed']);
    }
  });

  test('a deactivated account revokes nothing any more, and the key of the certificate still does', async () => {
    const client = await authority.registered();
    const issued = await issue(authority, client, [newName()]);
    await client.post(client.kid!, { status: 'deactivated' });
    assert.deepEqual(problemOf(await revoke(client, issued.pem)), [401, 'unauthorized']);
    assert.equal((await revokeByKey(issued)).status, 200);
  });

  test('who revoked, and by what, stands in the log', async () => {
    const client = await authority.registered();
    const { pem } = await issue(authority, client, [newName()]);
    await revoke(client, pem, { reason: 4 });
    const entry = (await requestEntriesOf(authority)).at(-1)!;
    assert.equal(entry.outcome, 'revoked');
  });
});
