import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { before, describe, test, type TestContext } from 'node:test';
import { suiteCleanup } from '../harness/cleanup.ts';
import { privateKeyPem } from '../harness/csr.ts';
import { type InteropAuthority, interopAuthority } from '../harness/interop-authority.ts';
import { BouncyCastleClient } from './bouncycastle/est-client.ts';

describe('BouncyCastle EST client, beyond a secret:', () => {
  const cleanup = suiteCleanup();
  const bouncyCastle = new BouncyCastleClient(cleanup);
  let authority: InteropAuthority;
  before(async () => {
    authority = await interopAuthority(cleanup);
  });

  async function prepare(t: TestContext, listener = 'enroll') {
    const found = await bouncyCastle.prepare(t);
    if (found === null) return null;
    const { folder, run } = found;
    await writeFile(folder.path('trust.pem'), authority.trustPem);
    const { host } = new URL(authority.url(listener));
    const est = (command: string, ...words: string[]) =>
      run(command, '--server', host, '--trust', 'trust.pem', ...words);
    return { folder, est };
  }

  test('getCSRAttributes reads the key type, and challengePassword where a binding is demanded', async (t) => {
    const found = await prepare(t);
    if (found === null) return;
    const attributesOf = async (label: string) => {
      const { code, stdout, stderr } = await found.est('csrattrs', '--label', label);
      assert.equal(code, 0, stderr);
      return [...stdout.matchAll(/^attribute (\S+)/gm)].map(([, oid]) => oid);
    };
    const [plain, bound] = [await attributesOf('device'), await attributesOf('bound')];
    const [ecPublicKey, challengePassword] = ['1.2.840.10045.2.1', '1.2.840.113549.1.9.7'];
    assert.ok(plain.includes(ecPublicKey) && bound.includes(ecPublicKey));
    assert.ok(!plain.includes(challengePassword) && bound.includes(challengePassword));
  });

  test('simpleEnroll with an IDevID of a configured maker needs no secret', async (t) => {
    const found = await prepare(t);
    if (found === null) return;
    const { folder, est } = found;
    const idevid = authority.maker.idevid({ serialNumber: 'SN-1' });
    await authority.admin.device('idevid-1', {
      identifiers: { serialNumber: 'SN-1' },
      approveFor: ['device'],
    });
    await writeFile(folder.path('idevid.pem'), idevid.pem);
    await writeFile(folder.path('idevid.key'), privateKeyPem(idevid.key));
    const credential = ['--client-cert', 'idevid.pem', '--client-key', 'idevid.key'];
    const result = await est('enroll', ...credential, '--subject', 'CN=idevid-1', '--key', 'new.key');
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.equal(result.certificates[0]!.subject, 'CN=idevid-1');
  });

  test('serverkeygen gives a key that fits the certificate', async (t) => {
    const found = await prepare(t);
    if (found === null) return;
    await authority.admin.device('sensor-1', { deviceClass: 'iot', approveFor: ['iot'] });
    const secret = await authority.admin.secret('sensor-1', 'iot');
    const credential = ['--label', 'iot', '--user', 'sensor-1', '--secret', secret];
    const result = await found.est(
      'serverkeygen',
      ...credential,
      '--subject',
      'CN=sensor-1',
      '--key',
      'own.key',
    );
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const made = createPublicKey(createPrivateKey(result.privateKey!));
    assert.ok(new X509Certificate(result.certificates[0]!.toString()).publicKey.equals(made));
  });

  test('simpleEnrollPoP binds a request to its TLS 1.2 connection, and without it the request is refused', async (t) => {
    const found = await prepare(t, 'enroll-tls12');
    if (found === null) return;
    const secret = await authority.admin.expected('bound-1', 'bound');
    const common = ['--label', 'bound', '--user', 'bound-1', '--secret', secret, '--subject', 'CN=bound-1'];
    const tls = ['--jsse', 'bc', '--tls', 'TLSv1.2'];
    const unbound = await found.est('enroll', ...common, ...tls, '--key', 'first.key');
    assert.equal(unbound.error?.status, 400, unbound.stdout);
    const bound = await found.est('enroll', ...common, ...tls, '--key', 'second.key', '--pop', 'yes');
    assert.equal(bound.code, 0, bound.stdout + bound.stderr);
  });
});
