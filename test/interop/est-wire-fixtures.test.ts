import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parseCertsOnly } from '#cms';
import { parseCertificate } from '#x509';
import { basic, encodeWhole, messageOf } from '../fuzz/message.ts';
import { loadSeeds } from '../fuzz/seeds.ts';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { exchange } from '../harness/raw-connection.ts';

/** What libest 3.2.0p sent to this listener, sent again, and what it demands of an answer. */
describe('the recorded libest client', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await serveAuthority(await initAuthority(cleanup, anyPorts));
    cleanup.after(() => authority.stop());
  });

  test('is asked for Basic credentials, and reads the certificate by its own narrow rules', async () => {
    const secret = await authority.admin.expected('libest-1');
    const csr = csrFor('libest-1', makeKey());
    const post = async (name: string, authorization = '') => {
      const seed = loadSeeds().find((seed) => seed.name === name)!;
      const message = messageOf(seed, { host: new URL(authority.est).host, authorization, csr });
      const target = { url: authority.est, trust: authority.trustPem };
      const answer = await exchange(target, encodeWhole(message));
      assert.ok(answer);
      // Case-sensitive, as libest compares.
      const header = (wanted: string) => answer.headers.find(([name]) => name === wanted)?.[1];
      assert.equal(Number(header('Content-Length')), answer.body.length);
      return { ...answer, header };
    };
    const asked = await post('libest-simpleenroll-without-credential');
    assert.equal(asked.status, 401);
    assert.match(asked.header('WWW-Authenticate')!, /^Basic realm="/);
    assert.ok(asked.body.length > 0);

    const issued = await post('libest-simpleenroll', basic('libest-1', secret));
    assert.equal(issued.status, 200, issued.body);
    assert.ok(issued.header('Content-Type')!.startsWith('application/pkcs7-mime; smime-type=certs-only'));
    assert.match(issued.body, /^(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n$/);
    const [certificate] = parseCertsOnly(Buffer.from(issued.body, 'base64'));
    assert.equal(parseCertificate(certificate!).subject[0]![0]!.value, 'libest-1');
  });
});
