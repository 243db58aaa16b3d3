import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { before, describe, test, type TestContext } from 'node:test';
import { requireClient } from '../clients.ts';
import { sallyport } from '../harness/authority.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { privateKeyPem } from '../harness/csr.ts';
import { type InteropAuthority, interopAuthority } from '../harness/interop-authority.ts';

/** curl and openssl against the shipped front door: `init`, then `serve`. */
describe('curl with openssl', () => {
  const cleanup = suiteCleanup();
  let authority: InteropAuthority;
  before(async () => {
    authority = await interopAuthority(cleanup);
  });

  async function client(
    t: TestContext,
  ): Promise<{ folder: ClientFolder; curl: string; openssl: string } | null> {
    const [curl, openssl] = [requireClient(t, 'curl'), requireClient(t, 'openssl')];
    if (curl === null || openssl === null) return null;
    return { folder: await ClientFolder.make(t), curl, openssl };
  }

  async function makeRequest(
    folder: ClientFolder,
    openssl: string,
    id: string,
    name = 'device',
  ): Promise<void> {
    await folder.must(
      openssl,
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-out',
      `${name}.key`,
    );
    await folder.must(
      openssl,
      'req',
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      `/CN=${id}`,
      '-outform',
      'DER',
      '-out',
      `${name}.der`,
    );
    await folder.must(openssl, 'base64', '-in', `${name}.der`, '-out', `${name}.b64`);
  }

  /** Returns the status; the body is in `answer`. */
  async function post(folder: ClientFolder, curl: string, path: string, ...more: string[]): Promise<number> {
    const { stdout } = await folder.must(
      curl,
      '--silent',
      '--show-error',
      '--cacert',
      authority.trust,
      '--output',
      'answer',
      '--dump-header',
      'headers',
      '--write-out',
      '%{http_code}',
      '--header',
      'Content-Type: application/pkcs10',
      ...more,
      `${authority.est}/${path}`,
    );
    return Number(stdout.toString());
  }

  async function saveCertificate(folder: ClientFolder, openssl: string, name: string): Promise<void> {
    await folder.must(openssl, 'base64', '-d', '-in', 'answer', '-out', 'answer.p7');
    await folder.must(openssl, 'pkcs7', '-inform', 'DER', '-in', 'answer.p7', '-print_certs', '-out', name);
  }

  test('fetches the CA certificates, the root among them', async (t) => {
    const found = await client(t);
    if (found === null) return;
    const { folder, curl, openssl } = found;
    await folder.must(
      curl,
      '--silent',
      '--fail',
      '--cacert',
      authority.trust,
      '--output',
      'answer',
      `${authority.est}/cacerts`,
    );
    await saveCertificate(folder, openssl, 'ca.pem');
    const pem = await folder.read('ca.pem');
    assert.equal(pem.match(/BEGIN CERTIFICATE/g)?.length, 2);
    const { stdout } = await folder.must(openssl, 'verify', '-CAfile', 'ca.pem', 'ca.pem');
    assert.match(stdout.toString(), /ca\.pem: OK/);
  });

  test('enrolls with a one-time secret, renews with a new key and the same, and openssl verifies all with the CRL', async (t) => {
    const found = await client(t);
    if (found === null) return;
    const { folder, curl, openssl } = found;
    const secret = await authority.admin.expected('laptop-1');
    await makeRequest(folder, openssl, 'laptop-1');
    assert.equal(
      await post(
        folder,
        curl,
        'simpleenroll',
        '--user',
        `laptop-1:${secret}`,
        '--data-binary',
        '@device.b64',
      ),
      200,
      await folder.read('answer'),
    );
    assert.match(await folder.read('headers'), /^Content-Transfer-Encoding: base64\r$/m);
    await saveCertificate(folder, openssl, 'first.pem');

    await makeRequest(folder, openssl, 'laptop-1', 'next');
    const renewal = ['--cert', 'first.pem', '--key', 'device.key', '--data', '@next.b64'];
    assert.equal(await post(folder, curl, 'simplereenroll', ...renewal), 200, await folder.read('answer'));
    await saveCertificate(folder, openssl, 'second.pem');
    const sameKey = ['--cert', 'second.pem', '--key', 'next.key', '--data', '@next.b64'];
    assert.equal(await post(folder, curl, 'simplereenroll', ...sameKey), 200, await folder.read('answer'));
    await saveCertificate(folder, openssl, 'third.pem');

    await folder.must(
      curl,
      '--silent',
      '--fail',
      '--output',
      'issuing.crl',
      `${authority.publicUrl}/crl/issuing.crl`,
    );
    await folder.must(
      openssl,
      'crl',
      '-inform',
      'DER',
      '-in',
      'issuing.crl',
      '-CAfile',
      authority.trust,
      '-noout',
      '-out',
      'crl.txt',
    );
    await folder.must(openssl, 'crl', '-inform', 'DER', '-in', 'issuing.crl', '-out', 'crl.pem');
    for (const name of ['first.pem', 'second.pem', 'third.pem']) {
      await folder.must(
        openssl,
        'verify',
        '-x509_strict',
        '-purpose',
        'sslclient',
        '-crl_check',
        '-CRLfile',
        'crl.pem',
        '-CAfile',
        authority.trust,
        name,
      );
    }
  });

  test('fetches what a request should hold, and openssl reads it', async (t) => {
    const found = await client(t);
    if (found === null) return;
    const { folder, curl, openssl } = found;
    const url = `${authority.est}/bound/csrattrs`;
    await folder.must(curl, '--silent', '--fail', '--cacert', authority.trust, '--output', 'answer', url);
    await folder.must(openssl, 'base64', '-d', '-in', 'answer', '-out', 'attributes.der');
    const { stdout } = await folder.must(openssl, 'asn1parse', '-inform', 'DER', '-in', 'attributes.der');
    assert.match(stdout.toString(), /OBJECT +:id-ecPublicKey/);
    assert.match(stdout.toString(), /OBJECT +:prime256v1/);
    assert.match(stdout.toString(), /OBJECT +:challengePassword/);
  });

  test('enrolls with an IDevID of a configured maker, without a secret', async (t) => {
    const found = await client(t);
    if (found === null) return;
    const { folder, curl, openssl } = found;
    const idevid = authority.maker.idevid({ serialNumber: 'SN-5' });
    await authority.admin.device('laptop-5', {
      identifiers: { serialNumber: 'SN-5' },
      approveFor: ['device'],
    });
    await writeFile(folder.path('idevid.pem'), idevid.pem);
    await writeFile(folder.path('idevid.key'), privateKeyPem(idevid.key));
    await makeRequest(folder, openssl, 'laptop-5');
    const asking = ['--cert', 'idevid.pem', '--key', 'idevid.key', '--data', '@device.b64'];
    assert.equal(await post(folder, curl, 'simpleenroll', ...asking), 200, await folder.read('answer'));
    await saveCertificate(folder, openssl, 'device.pem');
    await folder.must(openssl, 'verify', '-CAfile', authority.trust, 'device.pem');
  });

  test('is given a key by serverkeygen, and openssl finds it to be that of the certificate', async (t) => {
    const found = await client(t);
    if (found === null) return;
    const { folder, curl, openssl } = found;
    await authority.admin.device('sensor-1', { deviceClass: 'iot', approveFor: ['iot'] });
    const secret = await authority.admin.secret('sensor-1', 'iot');
    await makeRequest(folder, openssl, 'sensor-1');
    const asking = ['--user', `sensor-1:${secret}`, '--data-binary', '@device.b64'];
    assert.equal(await post(folder, curl, 'iot/serverkeygen', ...asking), 200, await folder.read('answer'));
    const [key, certificates] = partsOf(await folder.read('headers'), await folder.read('answer'));
    await writeFile(folder.path('made.key.b64'), key!);
    await writeFile(folder.path('answer'), certificates!);
    await folder.must(openssl, 'base64', '-d', '-in', 'made.key.b64', '-out', 'made.key.der');
    await saveCertificate(folder, openssl, 'made.pem');
    const ofKey = await folder.must(openssl, 'pkey', '-inform', 'DER', '-in', 'made.key.der', '-pubout');
    const ofCertificate = await folder.must(openssl, 'x509', '-in', 'made.pem', '-noout', '-pubkey');
    assert.deepEqual(ofKey.stdout, ofCertificate.stdout);
  });

  test('waits through a 202 until an operator approves by the command line', async (t) => {
    const found = await client(t);
    if (found === null) return;
    const { folder, curl, openssl } = found;
    await authority.admin.device('laptop-2');
    const created = await sallyport(
      'secret',
      'create',
      '--device',
      'laptop-2',
      '--template',
      'device',
      '--json',
      '--config',
      authority.configuration,
    );
    const { secret } = JSON.parse(created.stdout) as { secret: string };
    await makeRequest(folder, openssl, 'laptop-2');
    const ask = () =>
      post(folder, curl, 'simpleenroll', '--user', `laptop-2:${secret}`, '--data-binary', '@device.b64');
    assert.equal(await ask(), 202);
    assert.match(await folder.read('headers'), /^Retry-After: \d+\r$/m);
    const listed = await sallyport('request', 'list', '--json', '--config', authority.configuration);
    const [request] = JSON.parse(listed.stdout) as { id: string }[];
    assert.equal(await ask(), 202);
    const approved = await sallyport('request', 'approve', request!.id, '--config', authority.configuration);
    assert.equal(approved.code, 0, approved.stderr);
    assert.equal(await ask(), 200, await folder.read('answer'));
  });

  test('is told what is wrong with PEM in the body, and without credentials to bring some', async (t) => {
    const found = await client(t);
    if (found === null) return;
    const { folder, curl, openssl } = found;
    await makeRequest(folder, openssl, 'laptop-3');
    await folder.must(openssl, 'req', '-inform', 'DER', '-in', 'device.der', '-out', 'device.pem');
    assert.equal(await post(folder, curl, 'simpleenroll', '--data-binary', '@device.pem'), 400);
    assert.match(await folder.read('answer'), /without the BEGIN and END lines/);
    assert.equal(await post(folder, curl, 'simpleenroll', '--data-binary', '@device.b64'), 401);
    assert.match(await folder.read('headers'), /^WWW-Authenticate: Basic realm=/m);
  });

  test('certtool reads what was issued', async (t) => {
    const found = await client(t);
    const certtool = requireClient(t, 'certtool');
    if (found === null || certtool === null) return;
    const { folder, curl, openssl } = found;
    const secret = await authority.admin.expected('laptop-4');
    await makeRequest(folder, openssl, 'laptop-4');
    assert.equal(
      await post(
        folder,
        curl,
        'simpleenroll',
        '--user',
        `laptop-4:${secret}`,
        '--data-binary',
        '@device.b64',
      ),
      200,
    );
    await saveCertificate(folder, openssl, 'device.pem');
    const { stdout } = await folder.must(certtool, '--certificate-info', '--infile', 'device.pem');
    assert.match(stdout.toString(), /Subject: CN=laptop-4/);
    assert.match(stdout.toString(), /TLS WWW Client/);
    await folder.must(
      certtool,
      '--verify',
      '--load-ca-certificate',
      authority.trust,
      '--infile',
      'device.pem',
    );
  });
});

/** The bodies of a multipart answer, cut out as a script would. */
function partsOf(headers: string, body: string): string[] {
  const boundary = /^Content-Type: multipart\/mixed; boundary=(\S+)\r$/m.exec(headers)![1]!;
  const parts = body.split(`--${boundary}`).slice(1, -1);
  return parts.map((part) => part.split('\r\n\r\n')[1]!);
}
