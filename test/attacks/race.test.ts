import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { parseCertificateList } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { publicDocument } from '../harness/public-document.ts';

/** What an operator ends is ended for what is under way as well; what was granted once is used once. */
describe('what an operator decides', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml.replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000'),
    );
  });

  let devices = 0;
  async function enrolled(of = authority) {
    const id = `device-${(devices += 1)}`;
    const secret = await of.admin.expected(id);
    const key = makeKey();
    const answer = await est({
      url: `${of.est}/simpleenroll`,
      body: base64(csrFor(id, key)),
      user: [id, secret],
      trust: of.trustPem,
    });
    assert.equal(answer.status, 200, answer.text);
    return { id, key, certificate: answer.certificates[0]! };
  }
  const renew = (client: Awaited<ReturnType<typeof enrolled>>, of = authority) =>
    est({
      url: `${of.est}/simplereenroll`,
      body: base64(csrFor(client.id, client.key)),
      client,
      trust: of.trustPem,
    });

  /** Renewals by many at once, and the act in the middle of them. Returns log indexes: of the act, and of what was issued. */
  async function during(
    act: (client: Awaited<ReturnType<typeof enrolled>>) => Promise<{ logIndex: number }>,
  ) {
    const client = await enrolled();
    const renewals = Array.from({ length: 12 }, () => renew({ ...client, key: client.key }));
    const { logIndex } = await act(client);
    await Promise.all(renewals);
    const { items } = await authority.admin.client.perform('listCertificates', { device: client.id });
    return { logIndex, issued: items.map((certificate) => certificate.logIndex) };
  }

  test('retiring a device: no certificate is issued after it', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { logIndex, issued } = await during(({ id }) =>
        authority.admin.client.perform('retireDevice', { id }),
      );
      assert.deepEqual(
        issued.filter((index) => index > logIndex),
        [],
      );
    }
  });

  test('revoking a certificate: it renews nothing after that', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { logIndex, issued } = await during(async ({ id }) => {
        const { items } = await authority.admin.client.perform('listCertificates', { device: id });
        const first = items.find(({ predecessor }) => predecessor === null)!;
        return authority.admin.client.perform('revokeCertificate', {
          id: first.sha256,
          reason: 'keyCompromise',
        });
      });
      assert.deepEqual(
        issued.filter((index) => index > logIndex),
        [],
      );
    }
  });

  test('revoking several at once: each that is told to be published is on the CRL', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => enrolled()));
    const revoked = await Promise.all(
      clients.map(async ({ id }) => {
        const { items } = await authority.admin.client.perform('listCertificates', { device: id });
        return authority.admin.client.perform('revokeCertificate', { id: items[0]!.sha256 });
      }),
    );
    const { body } = await publicDocument(authority, '/crl/issuing.crl');
    const listed = new Set(parseCertificateList(body).revoked.map(({ serialNumber }) => serialNumber));
    for (const { serialNumber, published } of revoked) {
      assert.ok(published);
      assert.ok(listed.has(serialNumber));
    }
  });

  test('approving one early renewal: the next one waits again', async () => {
    const own = await authorityInProcess(cleanup, (yaml) =>
      yaml.replaceAll('renewalWindow: always', 'renewalWindow: 30d'),
    );
    const client = await enrolled(own);
    assert.equal((await renew(client, own)).status, 202);
    const { items } = await own.admin.client.perform('listRequests', { state: 'pending' });
    await own.admin.client.perform('approveRequest', { id: items[0]!.id });
    const renewed = await renew(client, own);
    assert.equal(renewed.status, 200);
    // The same request gets the same certificate; with the one it got the next waits.
    assert.deepEqual((await renew(client, own)).certificates, renewed.certificates);
    assert.equal((await renew({ ...client, certificate: renewed.certificates[0]! }, own)).status, 202);
  });

  test('a secret sent as the user name is written nowhere', async () => {
    const id = 'careless';
    const secret = await authority.admin.expected(id);
    const answer = await est({
      url: `${authority.est}/simpleenroll`,
      body: base64(csrFor(id, makeKey())),
      user: [secret, ''],
      trust: authority.trustPem,
    });
    const entry = await assertRefusedAnyhow(answer);
    assert.ok(!JSON.stringify(entry).includes(secret));
    for (const file of ['data/sallyport.db', 'data/sallyport.db-wal', 'log/events.ndjson']) {
      const bytes = await readFile(path.join(authority.directory, file)).catch(() => Buffer.alloc(0));
      assert.equal(bytes.indexOf(secret), -1, file);
    }
  });

  async function assertRefusedAnyhow(answer: Awaited<ReturnType<typeof est>>) {
    assert.equal(answer.status, 401, answer.text);
    const code = /R(?:-[0-9A-Z]{4}){4}/.exec(answer.text)![0];
    return (await authority.admin.entry(code)).entry;
  }

  test('suspending a device: a secret in hand gets nothing', async () => {
    const id = 'suspended';
    const secret = await authority.admin.expected(id);
    await authority.admin.client.perform('suspendDevice', { id });
    const answer = await est({
      url: `${authority.est}/simpleenroll`,
      body: base64(csrFor(id, makeKey())),
      user: [id, secret],
      trust: authority.trustPem,
    });
    await assertRefused(authority, answer, 403, ['device-state']);
  });
});
