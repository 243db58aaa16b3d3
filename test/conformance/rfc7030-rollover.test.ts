import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { derToPem, parseCertificate, pemToDer } from '#x509';
import { requireClient } from '../clients.ts';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyport,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { type ClientKey, renewalCsr } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { Certified, TestCa } from '../harness/pki.ts';
import { addIssuer, editSettings } from '../harness/second-issuer.ts';
import { TestDevice } from '../harness/test-device.ts';

interface Settings {
  issuers: { issuing: { rollover?: string[] } };
  listeners: { enroll: { tls: { certificate?: string; chain?: string[]; issued?: object } } };
}

const day = 86_400_000;
const cleanup = suiteCleanup();

/** RFC 4210 section 4.4: an authority whose root has been changed, and clients that know the old one alone. */
describe('RFC 7030 section 4.1.3, after a change of the root', () => {
  let files: AuthorityFiles;
  let authority: Awaited<ReturnType<typeof serveAuthority>>;
  const old = TestCa.root('Old Root CA', { notAfter: Date.now() + 300 * day });
  let rollover: Record<'old-with-old' | 'old-with-new' | 'new-with-old' | 'old-issuing', Certified>;

  before(async () => {
    files = await initAuthority(cleanup, anyPorts);
    const root = await rootOf(files);
    rollover = {
      'old-with-old': old,
      'old-with-new': root.intermediate('Old Root CA', { key: old.key }),
      'new-with-old': newWithOld(root, old),
      'old-issuing': old.intermediate('Old Issuing CA'),
    };
    for (const [name, { pem }] of Object.entries(rollover)) await writeFile(fileOf(name), pem);
    await editSettings<Settings>(files, ({ issuers, listeners }) => {
      issuers.issuing.rollover = Object.keys(rollover).map((name) => `pki/${name}.pem`);
      // For clients that know the old root alone.
      listeners.enroll.tls.chain = ['pki/new-with-old.pem'];
    });
    authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
  });

  const fileOf = (name: string) => path.join(files.directory, `pki/${name}.pem`);

  const pki = async (name: string) => {
    const [der] = pemToDer(await readFile(fileOf(name), 'utf8'), 'CERTIFICATE');
    return base64(der!);
  };

  for (const target of ['cacerts', 'device/cacerts']) {
    test(`/${target} gives the path, then OldWithOld, OldWithNew, NewWithOld and the old issuing CA`, async () => {
      const answer = await est({ url: `${authority.est}/${target}`, trust: authority.trustPem });
      assert.deepEqual(answer.certificates.map(base64), [
        await pki('issuing'),
        await pki('root'),
        ...Object.values(rollover).map(({ certificate }) => base64(certificate)),
      ]);
    });
  }

  test('the self-signed certificate that ends last is the current root', async () => {
    const answer = await est({ url: `${authority.est}/cacerts`, trust: authority.trustPem });
    const roots = answer.certificates
      .filter((der) => !isNoRoot(der))
      .map((der) => parseCertificate(der))
      .toSorted((one, other) => other.notAfter - one.notAfter);
    assert.deepEqual([roots.length, base64(roots[0]!.der)], [2, await pki('root')]);
  });

  test('a client that knows the old root alone reaches cacerts, and by the answer verifies what is issued now', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const device = await TestDevice.enrolled(authority, 'laptop');
    const { certificates } = await est({ url: `${authority.est}/cacerts`, trust: old.pem });
    const folder = await ClientFolder.make(cleanup);
    await writeFile(folder.path('old.pem'), old.pem);
    await writeFile(folder.path('answer.pem'), pem(certificates.filter(isNoRoot)));
    await writeFile(folder.path('device.pem'), pem([device.certificate!]));
    const trust = ['-no-CApath', '-no-CAstore', '-CAfile', 'old.pem'];
    await folder.must(openssl, 'verify', ...trust, '-untrusted', 'answer.pem', 'device.pem');
  });

  test('a client that knows the new root alone verifies, by the answer, what was issued before', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const before = TestCa.of(rollover['old-issuing']).endEntity({
      subject: [{ type: 'commonName', value: 'of yesterday' }],
    });
    const { certificates } = await est({ url: `${authority.est}/cacerts`, trust: authority.trustPem });
    const folder = await ClientFolder.make(cleanup);
    await writeFile(folder.path('new.pem'), await readFile(fileOf('root')));
    await writeFile(folder.path('answer.pem'), pem(certificates.filter(isNoRoot)));
    await writeFile(folder.path('before.pem'), before.pem);
    const trust = ['-no-CApath', '-no-CAstore', '-CAfile', 'new.pem'];
    await folder.must(openssl, 'verify', ...trust, '-untrusted', 'answer.pem', 'before.pem');
  });

  test('a client that knows the old root alone reaches a listener whose certificate the authority issues, too', async () => {
    await editSettings<Settings>(files, ({ listeners }) => {
      const { tls } = listeners.enroll;
      delete tls.certificate;
      delete tls.chain;
      tls.issued = { issuer: 'issuing', names: ['127.0.0.1'] };
    });
    authority.process.kill('SIGHUP');
    await authority.said(/read again: listeners\.enroll\.tls\.certificate, .*chain, .*issued/);
    for (const trust of [old.pem, authority.trustPem]) {
      assert.equal((await est({ url: `${authority.est}/cacerts`, trust })).status, 200);
    }
  });

  test('an old root that nothing joins to the new one is not published: the authority does not start', async () => {
    const other = await initAuthority(cleanup, (yaml) =>
      anyPorts(yaml).replace('chain: [pki/root.pem]', 'chain: [pki/root.pem]\n    rollover: [pki/old.pem]'),
    );
    await writeFile(path.join(other.directory, 'pki/old.pem'), old.pem);
    const { code, stderr } = await sallyport('serve', '--config', other.configuration);
    assert.equal(code, 3);
    assert.match(stderr, /issuer issuing: a rollover certificate .*OldWithNew or NewWithOld/u);
  });
});

test('RFC 7030 section 4.1.3: a device of the old CA renews under the new one, and learns of it by cacerts', async () => {
  const files = await initAuthority(cleanup, anyPorts);
  const oldRoot = await rootOf(files);
  const { subject, notAfter } = parseCertificate(oldRoot.certificate);
  const newRoot = TestCa.root('New Root CA', { notAfter: notAfter + day });
  const newIssuing = newRoot.intermediate('New Issuing CA');
  const before = await serveAuthority(files);
  cleanup.after(() => before.stop());
  const device = await TestDevice.enrolled(before, 'laptop');
  await before.stop();

  // The old issuer stays: it verifies its certificates, and signs their CRL.
  await addIssuer(files, 'next', { issuing: newIssuing, above: [newRoot], template: 'device' });
  const named = { subject: subject.flat(), key: oldRoot.key };
  const rollover = [oldRoot, newRoot.intermediate('', named), newWithOld(newRoot, oldRoot)];
  await writeFile(path.join(files.directory, 'pki/rollover.pem'), rollover.map((each) => each.pem).join(''));
  await editSettings(files, ({ issuers }) => {
    issuers['next']!['rollover'] = ['pki/rollover.pem', 'pki/issuing.pem'];
  });
  const authority = await serveAuthority(files);
  cleanup.after(() => authority.stop());
  const url = `${authority.est}/device/simplereenroll`;
  const client = { certificate: device.certificate!, key: device.key };
  const body = base64(renewalCsr(device.certificate!, device.key));
  const renewed = await est({ url, trust: authority.trustPem, client, body });
  assert.equal(renewed.status, 200, renewed.text);
  const issuer = new X509Certificate(newIssuing.certificate);
  assert.ok(new X509Certificate(renewed.certificates[0]!).verify(issuer.publicKey));
  const { certificates } = await est({ url: `${authority.est}/cacerts`, trust: authority.trustPem });
  assert.equal(certificates.length, 6);
});

/** The new root's name and key, certified by the old one. */
function newWithOld(newRoot: TestCa, oldRoot: TestCa): TestCa {
  const subject = parseCertificate(newRoot.certificate).subject.flat();
  return oldRoot.intermediate('', { subject, key: newRoot.key });
}

const pem = (list: readonly Uint8Array[]) => list.map((der) => derToPem(der, 'CERTIFICATE')).join('');

/** openssl takes a root among the untrusted ones for the end of the path, though the next one is trusted. */
function isNoRoot(der: Uint8Array): boolean {
  const { subjectDer, issuerDer } = parseCertificate(der);
  return Buffer.compare(subjectDer, issuerDer) !== 0;
}

/** The root that `init` made, with its key from the folder that an operator takes offline. */
async function rootOf({ directory }: AuthorityFiles): Promise<TestCa> {
  const read = (file: string) => readFile(path.join(directory, file), 'utf8');
  const [der] = pemToDer(await read('pki/root.pem'), 'CERTIFICATE');
  const passphrase = (await read('offline/root.passphrase')).trim();
  const privateKey = createPrivateKey({ key: await read('offline/root.key.pem'), passphrase });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const algorithm: ClientKey['algorithm'] =
    privateKey.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ec-p384' : 'ec-p256';
  return TestCa.of(new Certified(der!, { algorithm, privateKey, spki }, []));
}
