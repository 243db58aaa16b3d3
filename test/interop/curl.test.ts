import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { requireClient } from '../clients.ts';
import {
  anyPorts,
  initAuthority,
  sallyport,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';

/** curl and openssl against the shipped front door: `init`, then `serve`. */
describe('curl with openssl', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await serveAuthority(await initAuthority(cleanup, anyPorts));
    cleanup.after(() => authority.stop());
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

  test('enrolls with a one-time secret, renews, and openssl verifies both with the CRL', async (t) => {
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
    for (const name of ['first.pem', 'second.pem']) {
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
