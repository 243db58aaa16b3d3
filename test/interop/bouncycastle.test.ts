import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { before, describe, test, type TestContext } from 'node:test';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type InteropAuthority, interopAuthority } from '../harness/interop-authority.ts';
import { BouncyCastleClient, type EstClientResult } from './bouncycastle/est-client.ts';

describe('BouncyCastle EST client', () => {
  const cleanup = suiteCleanup();
  const bouncyCastle = new BouncyCastleClient(cleanup);
  let authority: InteropAuthority;
  let root: X509Certificate;
  let issuing: X509Certificate;
  before(async () => {
    authority = await interopAuthority(cleanup);
    [root, issuing] = authority.trustPem
      .match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n/g)!
      .map((pem) => new X509Certificate(pem)) as [X509Certificate, X509Certificate];
  });

  const listeners = [
    { version: 'TLSv1.3', listener: 'enroll', tls: [] },
    { version: 'TLSv1.2', listener: 'enroll-tls12', tls: ['--tls', 'TLSv1.2'] },
  ] as const;

  for (const { version, listener, tls } of listeners) {
    const prepare = async (t: TestContext) => {
      const found = await bouncyCastle.prepare(t);
      if (found === null) return null;
      const { folder, run } = found;
      // Only the root is pinned: the chain to it must come from the listener.
      await writeFile(folder.path('root.pem'), root.toString());
      const { host } = new URL(authority.url(listener));
      const est = (command: string, ...words: string[]) =>
        run(command, '--server', host, '--trust', 'root.pem', ...tls, ...words);
      return { folder, est };
    };

    /** The one certificate of an answer, from our issuing CA. */
    const issued = (result: EstClientResult): X509Certificate => {
      assert.equal(result.code, 0, result.stdout + result.stderr);
      assert.equal(result.tlsVersion, version);
      assert.equal(result.certificates.length, 1);
      const [certificate] = result.certificates;
      assert.ok(certificate!.checkIssued(issuing) && certificate!.verify(issuing.publicKey));
      return certificate!;
    };

    test(`getCACerts gives the issuing CA and the root over ${version}`, async (t) => {
      const found = await prepare(t);
      if (found === null) return;
      const result = await found.est('cacerts');
      assert.equal(result.code, 0, result.stderr);
      assert.equal(result.tlsVersion, version);
      assert.deepEqual(
        result.certificates.map(({ fingerprint256 }) => fingerprint256).toSorted(),
        [root, issuing].map(({ fingerprint256 }) => fingerprint256).toSorted(),
      );
    });

    test(`simpleEnroll enrolls with a secret, renews, and renews with a new key over ${version}`, async (t) => {
      const found = await prepare(t);
      if (found === null) return;
      const { folder, est } = found;
      const id = `bouncy-${listener}`;
      const secret = await authority.admin.expected(id);
      const credential = ['--user', id, '--secret', secret];
      const enrolled = issued(
        await est('enroll', ...credential, '--subject', `CN=${id}`, '--key', 'first.key'),
      );
      assert.equal(enrolled.subject, `CN=${id}`);
      await writeFile(folder.path('first.pem'), enrolled.toString());

      const client = ['--client-cert', 'first.pem', '--client-key', 'first.key'];
      const renewed = issued(await est('reenroll', ...client));
      assert.ok(renewed.publicKey.equals(enrolled.publicKey));
      assert.notEqual(renewed.serialNumber, enrolled.serialNumber);
      await writeFile(folder.path('second.pem'), renewed.toString());

      const current = ['--client-cert', 'second.pem', '--client-key', 'first.key'];
      const rekeyed = issued(await est('rekey', ...current, '--key', 'new.key', '--key-type', 'rsa'));
      assert.equal(rekeyed.subject, `CN=${id}`);
      assert.equal(rekeyed.publicKey.asymmetricKeyType, 'rsa');
    });

    test(`simpleEnroll asks again after a 202 until the request is approved over ${version}`, async (t) => {
      const found = await prepare(t);
      if (found === null) return;
      const id = `held-bouncy-${listener}`;
      await authority.admin.device(id);
      const credential = ['--user', id, '--secret', await authority.admin.secret(id)];
      const waiting = found.est(
        'enroll',
        ...credential,
        '--subject',
        `CN=${id}`,
        '--key',
        'held.key',
        '--wait',
        '40',
      );
      const ended = new AbortController();
      void waiting.finally(() => ended.abort());
      const request = await pendingRequest(id, ended.signal);
      if (request !== null) await authority.admin.client.perform('approveRequest', { id: request });
      const result = await waiting;
      assert.equal(issued(result).subject, `CN=${id}`);
      assert.ok(result.pendingUntil.length > 0);
    });

    test(`simpleEnroll with a wrong secret tells status 401 over ${version}`, async (t) => {
      const found = await prepare(t);
      if (found === null) return;
      const id = `wrong-bouncy-${listener}`;
      await authority.admin.expected(id);
      const { code, error, stdout } = await found.est(
        'enroll',
        '--user',
        id,
        '--secret',
        'not-the-secret',
        '--subject',
        `CN=${id}`,
        '--key',
        'wrong.key',
      );
      assert.equal(code, 1);
      assert.equal(error?.status, 401, stdout);
      assert.match(error.body, /Support code R-/);
    });
  }

  /** null once the client has ended without one. */
  async function pendingRequest(device: string, ended: AbortSignal): Promise<string | null> {
    while (!ended.aborted) {
      const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
      const found = items.find((request) => request.device === device);
      if (found !== undefined) return found.id;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return null;
  }
});
