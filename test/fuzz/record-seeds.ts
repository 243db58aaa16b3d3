// node --require ./src/runtime.cjs test/fuzz/record-seeds.ts
// Writes test/fixtures/est anew from what curl, strongSwan, Bouncy Castle and libest send to a real authority. Nobody packages libest: its files
// stay as they are where no `estclient` is on the PATH.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { derToPem, pemToDer } from '#x509';
import { findProgram, requireClient } from '../clients.ts';
import { anyPorts, type Cleanup, initAuthority, serveAuthority } from '../harness/authority.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { BouncyCastleClient } from '../interop/bouncycastle/est-client.ts';
import { RecordingProxy } from './recording-proxy.ts';
import { seedTexts } from './seed-text.ts';

const fixtures = path.resolve(import.meta.dirname, '../fixtures/est');
const ends: (() => Promise<void> | void)[] = [];
const context: Cleanup & { skip(reason?: string): void } = {
  after: (end) => void ends.push(end),
  skip: (reason) => {
    throw new Error(reason);
  },
};
try {
  await record();
} finally {
  for (const end of ends.toReversed()) await end();
}

async function record(): Promise<void> {
  const files = await initAuthority(context, (yaml) =>
    anyPorts(yaml)
      .replace('minimum: TLSv1.3', 'minimum: TLSv1.2')
      .replace('keyAlgorithms: [ec-p256]\n', 'keyAlgorithms: [ec-p256]\n    serverKeygen: ec-p256\n'),
  );
  const authority = await serveAuthority(files);
  context.after(() => authority.stop());
  const proxy = await RecordingProxy.open(context, files, authority.est);
  await mkdir(fixtures, { recursive: true });

  /** Keeps what this made a client send. */
  const keep = async (name: string, ask: () => Promise<unknown>) => {
    await ask();
    const texts = proxy.take().flatMap((sent) => seedTexts(sent, proxy.host));
    if (texts.length === 0) throw new Error(`${name}: nothing was sent`);
    for (const text of texts) {
      const asked = texts.length > 1 && !/^authorization:/im.test(text) ? '-without-credential' : '';
      await writeFile(path.join(fixtures, `${name}${asked}.http`), text);
    }
  };
  const secretFor = async (id: string, template = 'device') => {
    const deviceClass = template === 'iot' ? 'iot' : 'laptop';
    await authority.admin.device(id, { deviceClass, approveFor: [template] });
    return authority.admin.secret(id, template);
  };
  const prove = async (folder: ClientFolder, certificate: string, key: string) => {
    proxy.client = { cert: await folder.read(certificate), key: await folder.read(key) };
  };

  await curl();
  await strongSwan();
  await bouncyCastle();
  await libest();

  async function curl(): Promise<void> {
    const [program, openssl] = [requireClient(context, 'curl')!, requireClient(context, 'openssl')!];
    const folder = await ClientFolder.make(context);
    const request = async (id: string) => {
      const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
      const subject = ['-subj', `/CN=${id}`, '-outform', 'DER', '-out', 'csr.der'];
      await folder.must(openssl, 'req', '-new', ...newKey, ...subject);
      await folder.must(openssl, 'base64', '-in', 'csr.der', '-out', 'csr.b64');
    };
    const ask = (where: string, ...more: string[]) =>
      folder.must(
        program,
        '--silent',
        '--show-error',
        '--fail',
        '--cacert',
        authority.trust,
        '--output',
        'answer',
        ...more,
        `https://${proxy.host}/.well-known/est/${where}`,
      );
    const post = ['--header', 'Content-Type: application/pkcs10'];
    await keep('curl-cacerts', () => ask('cacerts'));
    await keep('curl-csrattrs', () => ask('csrattrs'));
    await request('curl-1');
    const user = ['--user', `curl-1:${await secretFor('curl-1')}`];
    await keep('curl-simpleenroll', () => ask('simpleenroll', ...post, ...user, '--data-binary', '@csr.b64'));
    await folder.must(openssl, 'base64', '-d', '-in', 'answer', '-out', 'answer.p7');
    const certificates = ['-inform', 'DER', '-in', 'answer.p7', '-print_certs', '-out', 'certificate.pem'];
    await folder.must(openssl, 'pkcs7', ...certificates);
    await prove(folder, 'certificate.pem', 'key.pem');
    const client = ['--cert', 'certificate.pem', '--key', 'key.pem'];
    await keep('curl-simplereenroll', () => ask('simplereenroll', ...post, ...client, '--data', '@csr.b64'));
    proxy.client = {};
    await request('curl-2');
    const iot = ['--user', `curl-2:${await secretFor('curl-2', 'iot')}`];
    await keep('curl-serverkeygen', () =>
      ask('iot/serverkeygen', ...post, ...iot, '--data-binary', '@csr.b64'),
    );
  }

  async function strongSwan(): Promise<void> {
    const pki = requireClient(context, 'pki')!;
    const folder = await ClientFolder.make(context);
    const plugins =
      'pem pkcs1 pkcs7 pkcs8 x509 revocation pubkey openssl random nonce curl sha1 sha2 hmac aes gcm';
    await writeFile(folder.path('strongswan.conf'), `pki { load = ${plugins} }\n`);
    const [root, issuing] = pemToDer(await readFile(authority.trust, 'utf8'), 'CERTIFICATE');
    await writeFile(folder.path('root.der'), root!);
    await writeFile(folder.path('issuing.der'), issuing!);
    const environment = { STRONGSWAN_CONF: folder.path('strongswan.conf') };
    const run = async (...words: string[]) => {
      const { code, stdout, stderr } = await folder.runWith({ environment }, pki, ...words);
      if (code !== 0) throw new Error(`pki ${words.join(' ')}: ${stderr}`);
      return stdout;
    };
    const to = ['--url', `https://${proxy.host}`, '--cacert', 'root.der'];
    await keep('strongswan-cacerts', () => run('--estca', ...to, '--caout', 'ca.der', '--force'));
    const key = await run('--gen', '--type', 'ecdsa', '--size', '256', '--outform', 'pem');
    await writeFile(folder.path('key.pem'), key);
    const named = ['--type', 'ecdsa', '--dn', 'CN=swan-1', '--outform', 'der'];
    await writeFile(folder.path('csr.der'), await run('--req', '--in', 'key.pem', ...named));
    const est = ['--est', '--in', 'csr.der', '--cacert', 'issuing.der', ...to];
    const user = ['--userpass', `swan-1:${await secretFor('swan-1')}`];
    await keep('strongswan-simpleenroll', async () => {
      const certificate = await run(...est, ...user);
      await writeFile(folder.path('certificate.der'), certificate);
      await writeFile(folder.path('certificate.pem'), derToPem(certificate, 'CERTIFICATE'));
    });
    await prove(folder, 'certificate.pem', 'key.pem');
    await keep('strongswan-simplereenroll', () =>
      run(...est, '--cert', 'certificate.der', '--key', 'key.pem'),
    );
    proxy.client = {};
  }

  async function bouncyCastle(): Promise<void> {
    const { folder, run } = (await new BouncyCastleClient(context).prepare(context))!;
    await writeFile(folder.path('trust.pem'), authority.trustPem);
    const ask = async (command: string, ...words: string[]) => {
      const result = await run(command, '--server', proxy.host, '--trust', 'trust.pem', ...words);
      if (result.code !== 0) throw new Error(`${command}: ${result.stdout}${result.stderr}`);
      return result;
    };
    await keep('bouncycastle-cacerts', () => ask('cacerts'));
    await keep('bouncycastle-csrattrs', () => ask('csrattrs'));
    const user = ['--user', 'bouncy-1', '--secret', await secretFor('bouncy-1')];
    await keep('bouncycastle-simpleenroll', async () => {
      const { certificates } = await ask('enroll', ...user, '--subject', 'CN=bouncy-1', '--key', 'key.pem');
      await writeFile(folder.path('certificate.pem'), certificates[0]!.toString());
    });
    await prove(folder, 'certificate.pem', 'key.pem');
    const client = ['--client-cert', 'certificate.pem', '--client-key', 'key.pem'];
    await keep('bouncycastle-simplereenroll', () => ask('reenroll', ...client));
    proxy.client = {};
    const iot = ['--label', 'iot', '--user', 'bouncy-2', '--secret', await secretFor('bouncy-2', 'iot')];
    await keep('bouncycastle-serverkeygen', () =>
      ask('serverkeygen', ...iot, '--subject', 'CN=bouncy-2', '--key', 'new.pem'),
    );
  }
  async function libest(): Promise<void> {
    const [program, openssl] = [findProgram('estclient'), requireClient(context, 'openssl')!];
    if (program === null) return;
    const folder = await ClientFolder.make(context);
    await folder.must(openssl, 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'key.pem');
    const [host, port] = proxy.host.split(':') as [string, string];
    const environment = { EST_OPENSSL_CACERT: authority.trust };
    const ask = async (...words: string[]) => {
      const where = ['-s', host, '-p', port, '-o', '.'];
      const { code, stderr } = await folder.runWith({ environment }, program, ...words, ...where);
      if (code !== 0) throw new Error(`estclient ${words.join(' ')}: ${stderr}`);
    };
    const as = async (id: string, template?: string) => {
      const secret = await secretFor(id, template);
      return ['-x', 'key.pem', '--common-name', id, '-u', id, '-h', secret, '--pem-output'];
    };
    await keep('libest-cacerts', () => ask('-g'));
    await keep('libest-csrattrs', () => ask('-a'));
    const user = await as('libest-1');
    await keep('libest-simpleenroll', () => ask('-e', ...user));
    await prove(folder, 'cert-0-0.pem', 'key.pem');
    await keep('libest-simplereenroll', () => ask('-r', '-c', 'cert-0-0.pem', '-k', 'key.pem'));
    proxy.client = {};
    const iot = await as('libest-2', 'iot');
    await keep('libest-serverkeygen', () => ask('-q', '--path-seg', 'iot', ...iot));
  }
}
