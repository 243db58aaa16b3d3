import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { before, describe, test, type TestContext } from 'node:test';
import type { RequestEntry } from '#enrollment';
import { type Certificate, derToPem, parseCertificate, pemToDer } from '#x509';
import { requireClient } from '../clients.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { type InteropAuthority, interopAuthority } from '../harness/interop-authority.ts';
import { ScepClient } from '../harness/scep-client.ts';

import { Certmonger } from './certmonger.ts';

const commonName = ({ subject }: Certificate) => subject[0]![0]!.value;

/** SCEP, by clients that know nothing of us: `init`, then `serve`. */
describe('over SCEP', () => {
  const cleanup = suiteCleanup();
  let authority: InteropAuthority;
  before(async () => {
    authority = await interopAuthority(cleanup);
  });
  const approve = async (device: string) => {
    for (let tries = 0; tries < 100; tries += 1) {
      const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
      const found = items.find((request) => request.device === device);
      if (found !== undefined) {
        await authority.admin.client.perform('approveRequest', { id: found.id });
        return;
      }
      await setTimeout(100);
    }
    throw new Error(`no request of ${device} came`);
  };
  const newest = async (device: string) => {
    const entries = (await entriesOf(authority)) as unknown as RequestEntry[];
    return entries.findLast((entry) => entry.observations?.device?.id === device)!;
  };

  describe('strongSwan pki', () => {
    const plugins =
      'load = pem pkcs1 pkcs7 pkcs8 x509 revocation pubkey openssl random nonce curl sha1 sha2 aes';

    /** With the certificates of `--scepca`, in PEM. */
    async function prepare(t: TestContext) {
      const pki = requireClient(t, 'pki');
      if (pki === null) return null;
      const folder = await ClientFolder.make(t);
      await writeFile(folder.path('strongswan.conf'), `pki { ${plugins} }\n`);
      const environment = { STRONGSWAN_CONF: folder.path('strongswan.conf') };
      const run = (...words: string[]) => folder.runWith({ environment }, pki, ...words);
      const ca = ['--scepca', '--url', authority.scep, '--caout', 'ca.pem', '--raout', 'ra.pem'];
      const saved = await run(...ca, '--outform', 'pem', '--force');
      assert.equal(saved.code, 0, saved.stderr);
      const key = async (name: string) => {
        const { stdout } = await run('--gen', '--type', 'rsa', '--size', '2048', '--outform', 'pem');
        await writeFile(folder.path(name), stdout);
      };
      const ask = async (device: string, file: string, ...words: string[]) => {
        const cas = ['--cacert-enc', 'ra.pem', '--cacert-sig', 'ca.pem', '--cacert', 'ca-1.pem'];
        const dn = ['--dn', `CN=${device}`, '--outform', 'pem', '--interval', '1', '--maxpolltime', '30'];
        const result = await run('--scep', '--url', authority.scep, ...dn, ...cas, ...words);
        assert.equal(result.code, 0, result.stderr);
        assert.doesNotMatch(result.stderr, /not trusted/);
        await writeFile(folder.path(file), result.stdout);
        return parseCertificate(pemToDer(result.stdout.toString(), 'CERTIFICATE')[0]!);
      };
      return { folder, run, key, ask };
    }

    test('--scepca tells the RA from the CAs, and saves all of them', async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const read = async (name: string) =>
        parseCertificate(pemToDer(await swan.folder.read(name), 'CERTIFICATE')[0]!);
      const [root, issuing] = pemToDer(authority.trustPem, 'CERTIFICATE');
      assert.deepEqual((await read('ca.pem')).der, root);
      assert.deepEqual((await read('ca-1.pem')).der, issuing);
      assert.deepEqual((await read('ra.pem')).keyUsage, ['digitalSignature', 'keyEncipherment']);
    });

    test('--scep enrolls with a secret, and renews for a new key with the certificate it got', async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const id = 'swan-scep';
      const secret = await authority.admin.expected(id);
      await swan.key('first.key');
      await swan.key('second.key');
      const first = await swan.ask(id, 'first.pem', '--in', 'first.key', '--password', secret);
      assert.equal(commonName(first), id);
      const old = ['--cert', 'first.pem', '--key', 'first.key'];
      const second = await swan.ask(id, 'second.pem', '--in', 'second.key', ...old);
      assert.equal(commonName(second), id);
      assert.notDeepEqual(second.spki, first.spki);
      const { action, outcome, observations } = await newest(id);
      assert.deepEqual([action, outcome, observations.source.operation], ['renew', 'issued', 'RenewalReq']);
    });

    test('--scep polls until its request is approved', async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const id = 'swan-scep-waits';
      await authority.admin.device(id);
      const secret = await authority.admin.secret(id);
      await swan.key('held.key');
      const waiting = swan.ask(id, 'held.pem', '--in', 'held.key', '--password', secret);
      // Once it has polled: what was asked for comes from the log then.
      await setTimeout(2500);
      await approve(id);
      assert.equal(commonName(await waiting), id);
      assert.equal((await newest(id)).observations.source.operation, 'CertPoll');
    });

    test('--scep with a wrong secret is told so, and prints no certificate', async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      await swan.key('device.key');
      const cas = ['--cacert-enc', 'ra.pem', '--cacert-sig', 'ca.pem', '--cacert', 'ca-1.pem'];
      const words = [
        '--dn',
        'CN=nobody',
        '--in',
        'device.key',
        '--password',
        'AAAAA-BBBBB-CCCCC-DDDDD-EEEEE',
      ];
      const result = await swan.run('--scep', '--url', authority.scep, ...words, ...cas);
      assert.notEqual(result.code, 0);
      assert.equal(result.stdout.length, 0);
      assert.match(result.stderr, /badRequest/);
    });
  });

  describe('certmonger', () => {
    /** With the authority added as `sallyport`. */
    async function prepare(t: TestContext) {
      const certmonger = await Certmonger.start(t);
      if (certmonger === null) return null;
      const { folder } = certmonger;
      const { ra } = await ScepClient.at(authority.scep);
      const [root, issuing] = pemToDer(authority.trustPem, 'CERTIFICATE');
      await writeFile(folder.path('root.pem'), derToPem(root!, 'CERTIFICATE'));
      await writeFile(folder.path('issuing.pem'), derToPem(issuing!, 'CERTIFICATE'));
      await writeFile(folder.path('ra.pem'), derToPem(ra.der, 'CERTIFICATE'));
      const files = ['-N', 'root.pem', '-I', 'issuing.pem', '-r', 'ra.pem'].map((word) =>
        word.endsWith('.pem') ? folder.path(word) : word,
      );
      const added = await certmonger.getcert(
        'add-scep-ca',
        '-c',
        'sallyport',
        '-u',
        authority.scep,
        ...files,
      );
      assert.equal(added.code, 0, added.stderr + added.stdout.toString());
      const request = async (device: string, secret: string) => {
        const words = ['-c', 'sallyport', '-k', folder.path('key.pem'), '-f', folder.path('device.pem')];
        const asking = [...words, '-g', '2048', '-N', `CN=${device}`, '-L', secret, '-I', 'device'];
        const asked = await certmonger.getcert('request', ...asking);
        assert.equal(asked.code, 0, asked.stderr + asked.stdout.toString());
      };
      const certificate = async () =>
        parseCertificate(pemToDer(await folder.read('device.pem'), 'CERTIFICATE')[0]!);
      return { certmonger, request, certificate };
    }

    test('enrolls with a secret, watches the certificate, and renews it with what it has', async (t) => {
      const prepared = await prepare(t);
      if (prepared === null) return;
      const { certmonger, request, certificate } = prepared;
      const id = 'certmonger';
      await request(id, await authority.admin.expected(id));
      await certmonger.reaches('device', 'MONITORING');
      const first = await certificate();
      assert.equal(commonName(first), id);
      await certmonger.getcert('resubmit', '-i', 'device', '-w');
      await certmonger.reaches('device', 'MONITORING');
      const second = await certificate();
      assert.notEqual(second.serialNumber, first.serialNumber);
      const { action, outcome } = await newest(id);
      assert.deepEqual([action, outcome], ['renew', 'issued']);
    });

    test('waits until its request is approved, and polls for it', async (t) => {
      const prepared = await prepare(t);
      if (prepared === null) return;
      const { certmonger, request, certificate } = prepared;
      const id = 'certmonger-waits';
      await authority.admin.device(id);
      await request(id, await authority.admin.secret(id));
      await certmonger.reaches('device', 'CA_WORKING');
      await approve(id);
      // It would ask again in an hour or more by itself.
      await certmonger.getcert('resubmit', '-i', 'device', '-w');
      await certmonger.reaches('device', 'MONITORING');
      assert.equal(commonName(await certificate()), id);
    });
  });

  test("micromdm's scepclient 2.1.0 encrypts with DES, which nobody may any more, and is told so", async (t) => {
    const scepclient = requireClient(t, 'scepclient');
    if (scepclient === null) return;
    const folder = await ClientFolder.make(t);
    const id = 'scepclient';
    const secret = await authority.admin.expected(id);
    const { ra } = await ScepClient.at(authority.scep);

    const fingerprint = hash('sha256', ra.der);
    const words = [
      '-server-url',
      authority.scep,
      '-challenge',
      secret,
      '-cn',
      id,
      '-ca-fingerprint',
      fingerprint,
    ];
    const files = ['-private-key', 'key.pem', '-certificate', 'device.pem'];
    const bare = ['-organization', '', '-ou', '', '-country', ''];
    const result = await folder.run(scepclient, ...words, ...files, ...bare);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr + result.stdout.toString(), /badAlg/);
  });
});
