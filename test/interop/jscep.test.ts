import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { type Der, derToPem, parseCertificate, pemToDer } from '#x509';
import { suiteCleanup } from '../harness/cleanup.ts';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { JavaDriver } from './java-driver.ts';

const source = path.join(import.meta.dirname, 'jscep/JscepClient.java');

/** jscep 2.5.8, by the classes that applications call: `init`, then `serve`. */
describe('jscep', () => {
  const cleanup = suiteCleanup();
  const driver = new JavaDriver(cleanup, source, 'jscep');

  async function serve(algorithm: string): Promise<ServedAuthority> {
    const authority = await serveAuthority(
      await initAuthority(cleanup, anyPorts, ['--algorithm', algorithm]),
    );
    cleanup.after(() => authority.stop());
    return authority;
  }

  async function prepare(t: TestContext, authority: ServedAuthority) {
    const prepared = await driver.prepare(t);
    if (prepared === null) return null;
    const { folder, run } = prepared;
    const [, issuing] = pemToDer(authority.trustPem, 'CERTIFICATE');
    await writeFile(folder.path('ca.pem'), derToPem(issuing!, 'CERTIFICATE'));
    const jscep = async (...words: string[]) => {
      const [command, ...rest] = words as [string, ...string[]];
      const { code, stdout, stderr } = await run(command, '--url', authority.scep, '--ca', 'ca.pem', ...rest);
      return { code, stdout: stdout.toString(), stderr };
    };
    const enroll = async (device: string, name: string, ...words: string[]) => {
      const result = await jscep('enroll', '--subject', `CN=${device}`, '--key', `${name}.key`, ...words);
      assert.equal(result.code, 0, result.stderr);
      if (!result.stdout.includes('CERTIFICATE')) return { ...result, certificate: null };
      const [certificate] = pemToDer(result.stdout, 'CERTIFICATE') as [Der];
      await writeFile(folder.path(`${name}.pem`), derToPem(certificate, 'CERTIFICATE'));
      return { ...result, certificate: parseCertificate(certificate) };
    };
    return { jscep, enroll };
  }

  const identity = (name: string) => ['--identity', `${name}.pem`, '--identity-key', `${name}.key`];

  describe('and an authority whose keys are RSA', () => {
    let authority: ServedAuthority;
    before(async () => {
      authority = await serve('rsa-2048');
    });

    test('enrolls with a secret, renews for a new key, and looks up its certificate and the CRL', async (t) => {
      const client = await prepare(t, authority);
      if (client === null) return;
      const { enroll, jscep } = client;
      const first = await enroll('jscep', 'first', '--secret', await authority.admin.expected('jscep'));
      assert.equal(first.certificate?.subject[0]![0]!.value, 'jscep', first.stdout);
      const second = await enroll('jscep', 'second', ...identity('first'));
      assert.notDeepEqual(second.certificate?.spki, first.certificate.spki);
      const { action, outcome, observations } = await newest(authority, 'jscep');
      assert.deepEqual([action, outcome], ['renew', 'issued']);
      // It has no RenewalReq: a PKCSReq that the certificate signs.
      assert.equal(observations.source.operation, 'PKCSReq');

      const found = await jscep('getcert', ...identity('second'));
      assert.deepEqual(pemToDer(found.stdout, 'CERTIFICATE')[0], second.certificate?.der);
      const crl = await jscep('getcrl', ...identity('second'));
      assert.equal(crl.stdout, 'crl CN=Sallyport Issuing CA\n', crl.stderr);
    });
  });

  describe('and an authority as it is by default', () => {
    let authority: ServedAuthority;
    before(async () => {
      authority = await serve('ec-p256');
    });

    test('takes AES and SHA-512 of the capabilities, polls until its request is approved', async (t) => {
      const client = await prepare(t, authority);
      if (client === null) return;
      await authority.admin.device('jscep-waits');
      const secret = await authority.admin.secret('jscep-waits');
      const waiting = client.enroll('jscep-waits', 'held', '--secret', secret, '--wait', '40');
      const ended = new AbortController();
      void waiting.finally(() => ended.abort()).catch(() => {});
      await approve(authority, 'jscep-waits', ended.signal);
      const { certificate, stdout } = await waiting;
      assert.equal(certificate?.subject[0]![0]!.value, 'jscep-waits', stdout);
      assert.match(stdout, /^pending [0-9a-f]{40}$/m);
      const { observations } = await newest(authority, 'jscep-waits');
      assert.equal(observations.source.operation, 'CertPoll');
      const { cipher, digest, keyTransport } = observations.source.message!;
      assert.deepEqual([cipher, digest, keyTransport], ['aes-128-cbc', 'sha512', 'pkcs1']);
    });

    test('is told of a wrong secret', async (t) => {
      const client = await prepare(t, authority);
      if (client === null) return;
      const { certificate, stdout } = await client.enroll('nobody', 'none', '--secret', 'AAAAA-BBBBB');
      assert.equal(certificate, null);
      assert.match(stdout, /^failure badRequest$/m);
    });

    // It verifies a certificate of ECDSA with its own key of RSA, to see whether it is self-signed, and gives up by the exception.
    test('cannot renew: it sends nothing', async (t) => {
      const client = await prepare(t, authority);
      if (client === null) return;
      const id = 'jscep-renews';
      await client.enroll(id, 'first', '--secret', await authority.admin.expected(id));
      const again = ['--subject', `CN=${id}`, '--key', 'second.key', ...identity('first')];
      const { code, stderr } = await client.jscep('enroll', ...again);
      assert.notEqual(code, 0);
      assert.match(stderr, /Client\.isSelfSigned/);
      assert.equal((await newest(authority, id)).action, 'enroll');
    });
  });
});

async function newest(authority: ServedAuthority, device: string): Promise<RequestEntry> {
  const entries = await requestEntriesOf(authority);
  return entries.findLast(({ observations }) => observations.device?.id === device)!;
}

/** Once it has come, unless the client has ended without it. */
async function approve(authority: ServedAuthority, device: string, ended: AbortSignal): Promise<void> {
  const { client } = authority.admin;
  while (!ended.aborted) {
    const { items } = await client.perform('listRequests', { state: 'pending' });
    const found = items.find((request) => request.device === device);
    if (found !== undefined) return void (await client.perform('approveRequest', { id: found.id }));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
