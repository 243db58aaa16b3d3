import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, describe, test, type TestContext } from 'node:test';
import { parseCertificate, pemToDer } from '#x509';
import { requireClient } from '../clients.ts';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';

/** A second enroll listener that names TLS 1.2, which strongSwan 5.9 speaks without further words. */
function withTls12Listener(yaml: string): string {
  const listener = /^ {2}enroll:\n(?: {4}.*\n)+/m.exec(yaml)![0];
  const second = listener.replace('enroll:', 'enroll-tls12:').replace('minimum: TLSv1.3', 'minimum: TLSv1.2');
  return anyPorts(yaml.replace(listener, `${listener}${second}`));
}

const estPlugins =
  'load = pem pkcs1 pkcs7 pkcs8 pkcs12 x509 revocation pubkey openssl random nonce curl sha1 sha2 hmac aes gcm';

describe('strongSwan pki', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await serveAuthority(await initAuthority(cleanup, withTls12Listener));
    cleanup.after(() => authority.stop());
  });

  const listeners = [
    { name: 'TLS 1.3', listener: 'enroll', libtls: 'libtls { version_max = 1.3 }\n' },
    { name: 'TLS 1.2, on the listener that names it', listener: 'enroll-tls12', libtls: '' },
  ] as const;

  for (const { name, listener, libtls } of listeners) {
    const prepare = async (t: TestContext) => {
      const pki = requireClient(t, 'pki');
      if (pki === null) return null;
      const folder = await ClientFolder.make(t);
      await writeFile(folder.path('strongswan.conf'), `${libtls}pki { ${estPlugins} }\n`);
      const [root, issuing] = pemToDer(await readFile(authority.trust, 'utf8'), 'CERTIFICATE');
      await writeFile(folder.path('root.der'), root!);
      await writeFile(folder.path('issuing.der'), issuing!);
      const environment = { STRONGSWAN_CONF: folder.path('strongswan.conf') };
      const run = (...words: string[]) => folder.runWith({ environment }, pki, ...words);
      const url = (authority.ready['listeners'] as { name: string; url: string }[]).find(
        (found) => found.name === listener,
      )!.url;
      return { folder, run, url };
    };
    const trusted = ['--cacert', 'root.der', '--cacert', 'issuing.der'];

    test(`--estca saves the CA certificates over ${name}`, async (t) => {
      const found = await prepare(t);
      if (found === null) return;
      const { folder, run, url } = found;
      const result = await run(
        '--estca',
        '--url',
        url,
        '--cacert',
        'root.der',
        '--caout',
        'ca.der',
        '--force',
      );
      assert.equal(result.code, 0, result.stderr);
      const [root, issuing] = await Promise.all(
        ['ca.der', 'ca-1.der'].map((file) => readFile(folder.path(file))),
      );
      assert.equal(parseCertificate(root!).isCa, true);
      assert.deepEqual(root, await readFile(folder.path('root.der')));
      assert.deepEqual(issuing, await readFile(folder.path('issuing.der')));
    });

    test(`--est enrolls with a secret and renews over ${name}`, async (t) => {
      const found = await prepare(t);
      if (found === null) return;
      const { folder, run, url } = found;
      const id = `swan-${listener}`;
      const secret = await authority.admin.expected(id);
      const make = async (file: string) => {
        const key = await run('--gen', '--type', 'rsa', '--size', '2048', '--outform', 'der');
        await writeFile(folder.path(`${file}.key`), key.stdout);
        const csr = await run(
          '--req',
          '--in',
          `${file}.key`,
          '--type',
          'rsa',
          '--dn',
          `CN=${id}`,
          '--outform',
          'der',
        );
        assert.equal(csr.code, 0, csr.stderr);
        await writeFile(folder.path(`${file}.csr`), csr.stdout);
      };
      await make('first');
      const enrolled = await run(
        '--est',
        '--url',
        url,
        '--in',
        'first.csr',
        ...trusted,
        '--userpass',
        `${id}:${secret}`,
      );
      assert.equal(enrolled.code, 0, enrolled.stderr);
      assert.doesNotMatch(enrolled.stderr, /not trusted/);
      await writeFile(folder.path('first.crt'), enrolled.stdout);

      await make('second');
      const renewed = await run(
        '--est',
        '--url',
        url,
        '--in',
        'second.csr',
        ...trusted,
        '--cert',
        'first.crt',
        '--key',
        'first.key',
      );
      assert.equal(renewed.code, 0, renewed.stderr);
      assert.doesNotMatch(renewed.stderr, /not trusted/);
      const certificate = parseCertificate(renewed.stdout);
      assert.equal(certificate.subject[0]![0]!.value, id);
      assert.notEqual(certificate.serialNumber, parseCertificate(enrolled.stdout).serialNumber);
    });

    test(`--est waits through a 202 until the request is approved over ${name}`, async (t) => {
      const found = await prepare(t);
      if (found === null) return;
      const { folder, run, url } = found;
      const id = `held-${listener}`;
      await authority.admin.device(id);
      const secret = await authority.admin.secret(id);
      const key = await run('--gen', '--type', 'ecdsa', '--size', '256', '--outform', 'der');
      await writeFile(folder.path('held.key'), key.stdout);
      const csr = await run(
        '--req',
        '--in',
        'held.key',
        '--type',
        'ecdsa',
        '--dn',
        `CN=${id}`,
        '--outform',
        'der',
      );
      await writeFile(folder.path('held.csr'), csr.stdout);
      const waiting = run(
        '--est',
        '--url',
        url,
        '--in',
        'held.csr',
        ...trusted,
        '--userpass',
        `${id}:${secret}`,
        '-t',
        '1',
        '-m',
        '30',
      );
      const request = await pendingRequest(id);
      await authority.admin.client.perform('approveRequest', { id: request });
      const result = await waiting;
      assert.equal(result.code, 0, result.stderr);
      assert.equal(parseCertificate(result.stdout).subject[0]![0]!.value, id);
    });
  }

  async function pendingRequest(device: string): Promise<string> {
    for (let tries = 0; tries < 100; tries += 1) {
      const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
      const found = items.find((request) => request.device === device);
      if (found !== undefined) return found.id;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`no request of ${device} came`);
  }
});
