import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, describe, test, type TestContext } from 'node:test';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
import { requireClient } from '../clients.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { privateKeyPem } from '../harness/csr.ts';
import { type InteropAuthority, interopAuthority } from '../harness/interop-authority.ts';

const estPlugins =
  'load = pem pkcs1 pkcs7 pkcs8 pkcs12 x509 revocation pubkey openssl random nonce curl sha1 sha2 hmac aes gcm';

const keyTypes = { rsa: ['rsa', '2048'], ecdsa: ['ecdsa', '256'] } as const;

/** strongSwan's `pki` in a folder of its own, at one listener. */
class StrongSwan {
  readonly folder: ClientFolder;
  readonly #pki: string;
  readonly #url: string;

  private constructor(folder: ClientFolder, pki: string, url: string) {
    this.folder = folder;
    this.#pki = pki;
    this.#url = url;
  }

  static async prepare(t: TestContext, authority: InteropAuthority, { listener, libtls }: Speaking) {
    const pki = requireClient(t, 'pki');
    if (pki === null) return null;
    const folder = await ClientFolder.make(t);
    await writeFile(folder.path('strongswan.conf'), `${libtls}pki { ${estPlugins} }\n`);
    const [root, issuing] = pemToDer(authority.trustPem, 'CERTIFICATE');
    await writeFile(folder.path('root.der'), root!);
    await writeFile(folder.path('issuing.der'), issuing!);
    return new StrongSwan(folder, pki, authority.url(listener));
  }

  run(words: readonly string[], input?: Buffer) {
    const environment = { STRONGSWAN_CONF: this.folder.path('strongswan.conf') };
    return this.folder.runWith(
      { environment, ...(input === undefined ? {} : { input }) },
      this.#pki,
      ...words,
    );
  }

  async makeRequest(id: string, name: string, type: keyof typeof keyTypes = 'ecdsa'): Promise<void> {
    const [kind, size] = keyTypes[type];
    const key = await this.run(['--gen', '--type', kind, '--size', size, '--outform', 'der']);
    await writeFile(this.folder.path(`${name}.key`), key.stdout);
    const names = ['--type', kind, '--dn', `CN=${id}`, '--outform', 'der'];
    const csr = await this.run(['--req', '--in', `${name}.key`, ...names]);
    assert.equal(csr.code, 0, csr.stderr);
    await writeFile(this.folder.path(`${name}.csr`), csr.stdout);
  }

  estca(...words: string[]) {
    return this.run(['--estca', '--url', this.#url, '--cacert', 'root.der', ...words]);
  }

  /** The words of `pki --est`, which trusts the whole path: with the root alone it prints that the certificate is not trusted. */
  est(...words: string[]): string[] {
    return ['--est', '--url', this.#url, '--cacert', 'root.der', '--cacert', 'issuing.der', ...words];
  }

  /** Asks with a request of `makeRequest`; the certificate is saved beside it. */
  async certified(name: string, ...words: string[]): Promise<Certificate> {
    const result = await this.run(this.est('--in', `${name}.csr`, ...words));
    assert.equal(result.code, 0, result.stderr);
    assert.doesNotMatch(result.stderr, /not trusted/);
    await writeFile(this.folder.path(`${name}.crt`), result.stdout);
    return parseCertificate(result.stdout);
  }
}

interface Speaking {
  readonly listener: string;
  readonly libtls: string;
}

const commonName = ({ subject }: Certificate) => subject[0]![0]!.value;

describe('strongSwan pki', () => {
  const cleanup = suiteCleanup();
  let authority: InteropAuthority;
  before(async () => {
    authority = await interopAuthority(cleanup);
  });

  const listeners = [
    { name: 'TLS 1.3', listener: 'enroll', libtls: 'libtls { version_max = 1.3 }\n' },
    // strongSwan 5.9 speaks no other without further words.
    { name: 'TLS 1.2, on the listener that names it', listener: 'enroll-tls12', libtls: '' },
  ] as const;

  for (const { name, ...speaking } of listeners) {
    const prepare = (t: TestContext) => StrongSwan.prepare(t, authority, speaking);
    const named = (id: string) => `swan-${speaking.listener}-${id}`;

    test(`--estca saves the CA certificates over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const result = await swan.estca('--caout', 'ca.der', '--force');
      assert.equal(result.code, 0, result.stderr);
      for (const [saved, expected] of [
        ['ca.der', 'root.der'],
        ['ca-1.der', 'issuing.der'],
      ] as const) {
        const der: Uint8Array = await readFile(swan.folder.path(saved));
        assert.equal(parseCertificate(der).isCa, true);
        assert.deepEqual(der, await readFile(swan.folder.path(expected)));
      }
    });

    test(`--estca saves them as PEM, and over none that is there, over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const words = ['--caout', 'ca.pem', '--outform', 'pem'];
      const first = await swan.estca(...words);
      assert.equal(first.code, 0, first.stderr);
      const [root] = pemToDer(await swan.folder.read('ca.pem'), 'CERTIFICATE');
      assert.deepEqual(root, new Uint8Array(await readFile(swan.folder.path('root.der'))));
      assert.notEqual((await swan.estca(...words)).code, 0);
    });

    test(`--est enrolls with a secret, renews with the same key, and with a new one, over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const id = named('renews');
      const secret = await authority.admin.expected(id);
      await swan.makeRequest(id, 'first', 'rsa');
      const first = await swan.certified('first', '--userpass', `${id}:${secret}`);
      assert.equal(commonName(first), id);

      const credential = ['--cert', 'first.crt', '--key', 'first.key'];
      const renewed = await swan.run(swan.est('--in', 'first.csr', ...credential, '--outform', 'pem'));
      assert.equal(renewed.code, 0, renewed.stderr);
      const again = parseCertificate(pemToDer(renewed.stdout.toString(), 'CERTIFICATE')[0]!);
      assert.deepEqual([commonName(again), again.spki], [id, first.spki]);
      assert.notEqual(again.serialNumber, first.serialNumber);

      // The first one was renewed: presented for another key it would wait for an operator.
      await writeFile(swan.folder.path('again.crt'), renewed.stdout);
      await swan.makeRequest(id, 'second', 'ecdsa');
      const rekeyed = await swan.certified('second', '--cert', 'again.crt', '--key', 'first.key');
      assert.equal(commonName(rekeyed), id);
      assert.notDeepEqual(rekeyed.spki, first.spki);
    });

    test(`--est reads its request from standard input and its words from a file over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const id = named('stdin');
      const secret = await authority.admin.expected(id);
      await swan.makeRequest(id, 'device');
      const words = swan.est('--userpass', `${id}:${secret}`).slice(1);
      await writeFile(swan.folder.path('words'), words.join(' '));
      const csr = await readFile(swan.folder.path('device.csr'));
      const result = await swan.run(['--est', '--options', 'words'], csr);
      assert.equal(result.code, 0, result.stderr);
      assert.equal(commonName(parseCertificate(result.stdout)), id);
    });

    test(`--est waits through a 202 until the request is approved over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const id = named('waits');
      await authority.admin.device(id);
      const secret = await authority.admin.secret(id);
      await swan.makeRequest(id, 'held');
      const polling = ['--interval', '1', '--maxpolltime', '30'];
      const waiting = swan.certified('held', '--userpass', `${id}:${secret}`, ...polling);
      await authority.admin.client.perform('approveRequest', { id: await pendingRequest(id) });
      assert.equal(commonName(await waiting), id);
    });

    test(`--est that gave up waiting asks again later, and gets what was approved meanwhile, over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const id = named('gives-up');
      await authority.admin.device(id);
      const secret = await authority.admin.secret(id);
      await swan.makeRequest(id, 'held');
      const credential = ['--userpass', `${id}:${secret}`];
      const polling = ['--interval', '1', '--maxpolltime', '1'];
      const gaveUp = await swan.run(swan.est('--in', 'held.csr', ...credential, ...polling));
      assert.notEqual(gaveUp.code, 0);
      assert.equal(gaveUp.stdout.length, 0);
      await authority.admin.client.perform('approveRequest', { id: await pendingRequest(id) });
      assert.equal(commonName(await swan.certified('held', ...credential)), id);
    });

    test(`--est with a wrong secret fails and prints no certificate over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      await swan.makeRequest(named('nobody'), 'device');
      const guessed = ['--userpass', `${named('nobody')}:AAAAA-BBBBB-CCCCC-DDDDD-EEEEE`];
      const result = await swan.run(swan.est('--in', 'device.csr', ...guessed));
      assert.notEqual(result.code, 0);
      assert.equal(result.stdout.length, 0);
      assert.match(result.stderr, /401/);
    });

    test(`--est asks to renew whatever certificate it has, so that an IDevID enrolls nothing, over ${name}`, async (t) => {
      const swan = await prepare(t);
      if (swan === null) return;
      const id = named('idevid');
      const idevid = authority.maker.idevid({ serialNumber: `SN-${id}` });
      await authority.admin.device(id, {
        identifiers: { serialNumber: `SN-${id}` },
        approveFor: ['device'],
      });
      await writeFile(swan.folder.path('idevid.pem'), idevid.pem);
      await writeFile(swan.folder.path('idevid.key'), privateKeyPem(idevid.key));
      await swan.makeRequest(id, 'device');
      const credential = ['--cert', 'idevid.pem', '--key', 'idevid.key'];
      const result = await swan.run(swan.est('--in', 'device.csr', ...credential));
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /403/);
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
