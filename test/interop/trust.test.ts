import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { parseCertificate } from '#x509';
import { findProgram, requireClient } from '../clients.ts';
import {
  anyPorts,
  command,
  initAuthority,
  sallyport,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder, type ProcessResult } from '../harness/client-files.ts';

/** What `sallyport trust export` writes, and the very lines that it tells people to type, with the clients they are for. */
describe('trust export', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await serveAuthority(await initAuthority(cleanup, anyPorts));
    cleanup.after(() => authority.stop());
  });

  async function exported(folder: ClientFolder, format: string, name: string): Promise<string> {
    const file = folder.path(name);
    const words = ['--config', authority.configuration, '--format', format, '--out', file];
    const { code, stderr } = await sallyport('trust', 'export', ...words);
    assert.equal(code, 0, stderr);
    return file;
  }

  /** The lines under a title, as one script. */
  async function printed(title: string, values: Readonly<Record<string, string>> = {}): Promise<string> {
    const { stdout } = await sallyport('trust', 'export', '--config', authority.configuration);
    const section = stdout.split('\n\n').find((part) => part.startsWith(`${title}\n`));
    assert.ok(section, `no ${title} in\n${stdout}`);
    const lines = section.split('\n').filter((line) => line.startsWith('  '));
    const all = { PORT: new URL(authority.est).port, ...values };
    return Object.entries(all).reduce(
      (script, [word, value]) => script.replaceAll(new RegExp(`\\b${word}\\b`, 'g'), value),
      lines.join('\n'),
    );
  }

  /** As a person would, with `sallyport` at hand. */
  function type(folder: ClientFolder, script: string): Promise<ProcessResult> {
    const environment = { PATH: `${path.dirname(command)}:${process.env['PATH'] ?? ''}` };
    return folder.runWith({ environment }, 'sh', '-e', '-c', script);
  }

  async function withFiles(t: TestContext): Promise<ClientFolder> {
    const folder = await ClientFolder.make(t);
    const made = await type(folder, await printed('Here: the files for clients'));
    assert.equal(made.code, 0, made.stderr);
    return folder;
  }

  test('curl trusts the server by the exported root alone, and not by another', async (t) => {
    const [curl, openssl] = [requireClient(t, 'curl'), requireClient(t, 'openssl')];
    if (curl === null || openssl === null) return;
    const folder = await ClientFolder.make(t);
    await exported(folder, 'root', 'root.pem');
    await exported(folder, 'pem', 'chain.pem');
    const other = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=Other'];
    await folder.must(openssl, 'req', '-x509', ...other, '-keyout', 'other.key', '-out', 'other.pem');
    const fetch = (trusted: string) =>
      folder.run(
        curl,
        '-sS',
        '--fail',
        '--cacert',
        trusted,
        '--capath',
        '/dev/null',
        `${authority.est}/cacerts`,
      );
    for (const trusted of ['root.pem', 'chain.pem']) {
      const { code, stderr } = await fetch(trusted);
      assert.equal(code, 0, `${trusted}: ${stderr}`);
    }
    // CURLE_PEER_FAILED_VERIFICATION
    assert.equal((await fetch('other.pem')).code, 60);
  });

  test('openssl reads each file, and the root verifies what is below it', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const folder = await ClientFolder.make(t);
    await exported(folder, 'root', 'root.pem');
    await exported(folder, 'pem', 'chain.pem');
    await exported(folder, 'der', 'root.der');
    await exported(folder, 'p7b', 'chain.p7b');
    const list = ['pkcs7', '-inform', 'DER', '-in', 'chain.p7b', '-print_certs'];
    const { stdout } = await folder.must(openssl, ...list);
    assert.deepEqual(
      [...stdout.toString().matchAll(/^subject=.*CN ?= ?(.*)$/gm)].map((found) => found[1]),
      ['Sallyport Issuing CA', 'Sallyport Root CA'],
    );
    assert.match(
      (await folder.must(openssl, 'verify', '-CAfile', 'root.pem', 'chain.pem')).stdout.toString(),
      /chain\.pem: OK/,
    );
    const fingerprint = ['x509', '-inform', 'DER', '-in', 'root.der', '-noout', '-fingerprint', '-sha256'];
    const printedBy = (await folder.must(openssl, ...fingerprint)).stdout.toString().trim().split('=')[1]!;
    const words = await sallyport('trust', 'export', '--config', authority.configuration);
    assert.ok(words.stdout.split('\n').includes(printedBy));
  });

  test('the lines for curl and openssl enroll a device', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (requireClient(t, 'curl') === null || openssl === null) return;
    const folder = await withFiles(t);
    const secret = await authority.admin.expected('curl-1');
    const typed = await type(folder, await printed('curl and openssl', { DEVICE: 'curl-1', SECRET: secret }));
    assert.equal(typed.code, 0, typed.stderr);
    await folder.must(openssl, 'verify', '-CAfile', 'root.pem', '-untrusted', 'issuing.pem', 'device.pem');
  });

  test('the lines for strongSwan fetch the CA certificates and enroll a device', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (requireClient(t, 'pki') === null || openssl === null) return;
    const folder = await withFiles(t);
    const secret = await authority.admin.expected('swan-1');
    const typed = await type(folder, await printed('strongSwan', { DEVICE: 'swan-1', SECRET: secret }));
    assert.equal(typed.code, 0, typed.stderr);
    assert.doesNotMatch(typed.stderr, /not trusted/);
    const der = ['x509', '-inform', 'DER', '-in'];
    await folder.must(openssl, ...der, 'device.crt', '-out', 'device.pem');
    await folder.must(openssl, 'verify', '-CAfile', 'root.pem', '-untrusted', 'issuing.pem', 'device.pem');
    const fetched = await folder.must(openssl, ...der, 'ca.der');
    assert.equal(fetched.stdout.toString(), await folder.read('root.pem'));
  });

  test("python's plistlib reads the Apple profile", async (t) => {
    const python = findProgram('python3');
    if (python === null) return t.skip('python3 is not installed');
    const folder = await ClientFolder.make(t);
    const file = await exported(folder, 'mobileconfig', 'trust.mobileconfig');
    const script = `
import base64, json, plistlib, sys
profile = plistlib.load(open(sys.argv[1], 'rb'))
print(json.dumps(profile, default=lambda data: base64.b64encode(data).decode()))`;
    const { stdout } = await folder.must(python, '-c', script, file);
    const profile = JSON.parse(stdout.toString()) as {
      PayloadType: string;
      PayloadUUID: string;
      PayloadContent: { PayloadType: string; PayloadContent: string; PayloadDisplayName: string }[];
    };
    assert.equal(profile.PayloadType, 'Configuration');
    assert.deepEqual(
      profile.PayloadContent.map((payload) => [payload.PayloadType, payload.PayloadDisplayName]),
      [
        ['com.apple.security.root', 'CN=Sallyport Root CA'],
        ['com.apple.security.pkcs1', 'CN=Sallyport Issuing CA'],
      ],
    );
    for (const { PayloadContent } of profile.PayloadContent) {
      assert.equal(parseCertificate(Buffer.from(PayloadContent, 'base64')).isCa, true);
    }
  });
});
