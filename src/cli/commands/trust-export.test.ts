import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { parseCertsOnly } from '#cms';
import { derToPem } from '#x509';
import { type Desk, openDesk } from '../terminal.fixture.ts';
import { certify, certifyChain, savePem } from '../trust/certificates.fixture.ts';

interface ExportedTrust {
  readonly issuer: string;
  readonly certificates: readonly { subject: string; sha256: string; notAfter: string; pem: string }[];
  readonly listener: string | null;
  readonly url: string | null;
  readonly listenerCertificate: 'under' | 'foreign' | null;
  readonly rootSuffices: boolean | null;
}

/** An authority in the desk's folder, its configuration edited. */
async function withAuthority(
  t: TestContext,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<{ desk: Desk; root: string; issuing: string }> {
  const desk = await openDesk(t);
  const { code, err } = await desk.run('init', '--yes', '--name', 'Smith & Sons');
  assert.equal(code, 0, err);
  const file = join(desk.folder, 'sallyport.yaml');
  await writeFile(file, edit(await readFile(file, 'utf8')));
  const read = (name: string) => readFile(join(desk.folder, 'pki', name), 'utf8');
  return { desk, root: await read('root.pem'), issuing: await read('issuing.pem') };
}

async function json(desk: Desk, ...words: string[]): Promise<ExportedTrust> {
  const { code, out, err } = await desk.run('trust', 'export', '--json', ...words);
  assert.equal(code, 0, err);
  assert.match(out, /^[^\n]+\n$/, 'one line');
  return JSON.parse(out) as ExportedTrust;
}

/** A second issuer and a second enroll listener, after the first ones. */
function twoOfEach(yaml: string): string {
  const issuer = /^ {2}issuing:\n(?: {4}.*\n)+/m.exec(yaml)![0];
  const listener = /^ {2}enroll:\n(?: {4}.*\n)+/m.exec(yaml)![0];
  return yaml
    .replace(
      issuer,
      `${issuer}${issuer.replace('issuing:', 'servers:').replace('issuing.key', 'servers.key')}`,
    )
    .replace(
      listener,
      `${listener}${listener
        .replace('enroll:', 'lab:')
        .replace('8443', '9443')
        .replace('TLSv1.3', 'TLSv1.2')
        .replace(/ +defaultTemplate: device\n/, '')}`,
    );
}

suite('formats', () => {
  test('pem is the issuing CA and then the root; root is the root alone; der is the same in DER', async (t) => {
    const { desk, root, issuing } = await withAuthority(t);
    const exported = async (format: string) => (await desk.run('trust', 'export', '--format', format)).out;
    assert.equal(await exported('pem'), issuing + root);
    assert.equal(await exported('root'), root);
    assert.equal(derToPem(Buffer.from(await exported('der'), 'latin1'), 'CERTIFICATE'), root);
    const p7b = parseCertsOnly(Buffer.from(await exported('p7b'), 'latin1'));
    assert.deepEqual(
      p7b.map((der) => derToPem(der, 'CERTIFICATE')),
      [issuing, root],
    );
    const profile = await exported('mobileconfig');
    assert.match(profile, /<string>Smith &amp; Sons<\/string>/);
    assert.equal(await exported('mobileconfig'), profile);
  });

  test('what is not text is not written to a terminal', async (t) => {
    const { desk } = await withAuthority(t);
    desk.outIsTerminal = true;
    const { code, out, err } = await desk.run('trust', 'export', '--format', 'p7b');
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /--out/);
    assert.equal((await desk.run('trust', 'export', '--format', 'p7b', '--out', 'ca.p7b')).code, 0);
  });

  test('--json has every certificate with subject, fingerprint and end, and where clients enroll', async (t) => {
    const { desk, root, issuing } = await withAuthority(t);
    const { issuer, certificates, listener, url, listenerCertificate, rootSuffices } = await json(desk);
    assert.deepEqual(
      [issuer, listener, url, listenerCertificate, rootSuffices],
      ['issuing', 'enroll', 'https://127.0.0.1:8443', 'under', true],
    );
    assert.deepEqual(
      certificates,
      [issuing, root].map((pem) => {
        const certificate = new X509Certificate(pem);
        return {
          subject: certificate.subject,
          sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
          notAfter: new Date(certificate.validTo).toISOString(),
          pem,
        };
      }),
    );
  });
});

suite('--out', () => {
  test('writes what standard output would have, for everybody to read, and says the fingerprint', async (t) => {
    const { desk, root } = await withAuthority(t);
    const { code, out } = await desk.run('trust', 'export', '--format', 'root', '--out', 'root.pem');
    assert.equal(code, 0);
    assert.ok(out.includes(new X509Certificate(root).fingerprint256));
    const file = join(desk.folder, 'root.pem');
    assert.equal(await readFile(file, 'utf8'), root);
    assert.equal((await stat(file)).mode & 0o777, 0o644);
  });

  test('the same again is no error; other bytes are: exit code 1, and the file stays', async (t) => {
    const { desk, root } = await withAuthority(t);
    const write = (format: string) => desk.run('trust', 'export', '--format', format, '--out', 'root.pem');
    assert.equal((await write('root')).code, 0);
    assert.equal((await write('root')).code, 0);
    const { code, out, err } = await write('pem');
    assert.deepEqual([code, out], [1, '']);
    assert.match(
      err,
      /^sallyport: .*root\.pem is there already and holds something else; nothing was changed/,
    );
    assert.equal(await readFile(join(desk.folder, 'root.pem'), 'utf8'), root);
  });
});

suite('for people', () => {
  test('fingerprints as openssl prints them, the lines for each client, with URL and file names', async (t) => {
    const { desk, root, issuing } = await withAuthority(t);
    const { code, out } = await desk.run('trust', 'export');
    assert.equal(code, 0);
    for (const pem of [root, issuing]) {
      assert.ok(out.split('\n').includes(new X509Certificate(pem).fingerprint256));
    }
    assert.match(out, /^Issuer issuing, listener enroll: https:\/\/127\.0\.0\.1:8443$/m);
    for (const line of [
      /curl --cacert root\.pem --capath \/dev\/null https:\/\/127\.0\.0\.1:8443\/\.well-known\/est\/cacerts/,
      /libtls \{ version_max = 1\.3 \}/,
      /STRONGSWAN_CONF=strongswan\.conf pki --est --url https:\/\/127\.0\.0\.1:8443 \\\n +--cacert root\.pem --cacert issuing\.pem /,
      /libEST speaks TLS 1\.2 at most, and listener enroll takes TLS 1\.3 only/,
      /certutil -addstore Root root\.pem\n +certutil -addstore CA issuing\.pem/,
      /--format mobileconfig --out trust\.mobileconfig/,
    ]) {
      assert.match(out, line);
    }
    assert.doesNotMatch(out, /not issued under|does not send/);
  });

  test('the lines are the same in a file, without colour', async (t) => {
    const { desk } = await withAuthority(t);
    const { out } = await desk.run('trust', 'export');
    desk.outIsTerminal = true;
    assert.notEqual((await desk.run('trust', 'export')).out, out);
    await desk.run('trust', 'export', '--out', 'trust.txt');
    assert.equal(await readFile(join(desk.folder, 'trust.txt'), 'utf8'), out);
  });

  test('a port that the system chooses: no URL, and PORT in the lines', async (t) => {
    const { desk } = await withAuthority(t, (yaml) => yaml.replace('port: 8443', 'port: 0'));
    assert.equal((await json(desk)).url, null);
    const { out } = await desk.run('trust', 'export');
    assert.match(out, /sallyport serve/);
    assert.match(out, /https:\/\/127\.0\.0\.1:PORT\/\.well-known/);
  });
});

suite('several issuers and listeners', () => {
  test('the first ones, and it says so', async (t) => {
    const { desk } = await withAuthority(t, twoOfEach);
    const { out, err } = await desk.run('trust', 'export');
    assert.match(
      out,
      /^Issuer issuing \(the first of 2; --issuer names another\), listener enroll \(the first of 2; --listener names another\):/,
      err,
    );
    assert.match(out, /--cacert issuing-root\.pem/);
    const { issuer, listener } = await json(desk);
    assert.deepEqual([issuer, listener], ['issuing', 'enroll']);
  });

  test('those that are named: one of TLS 1.2, without a template for requests that name none', async (t) => {
    const { desk } = await withAuthority(t, twoOfEach);
    const named = ['--issuer', 'servers', '--listener', 'lab'];
    const { issuer, url } = await json(desk, ...named);
    assert.deepEqual([issuer, url], ['servers', 'https://127.0.0.1:9443']);
    const { out } = await desk.run('trust', 'export', ...named);
    assert.match(out, /^Issuer servers, listener lab: https:\/\/127\.0\.0\.1:9443$/m);
    assert.match(out, /https:\/\/127\.0\.0\.1:9443\/\.well-known\/est\/device\/simpleenroll/);
    assert.match(
      out,
      /EST_OPENSSL_CACERT=servers-root\.pem estclient -g -s 127\.0\.0\.1 -p 9443 --path-seg device -o \./,
    );
    assert.match(out, /pki --est names no template/);
    assert.doesNotMatch(out, /version_max/);
  });

  for (const [option, name, words] of [
    ['--issuer', 'nobody', /no issuer "nobody"; choose one of issuing, servers$/m],
    ['--listener', 'nobody', /no enroll listener "nobody"; choose one of enroll, lab$/m],
    ['--listener', 'public', /no enroll listener "public"/],
  ] as const) {
    test(`${option} ${name}: exit code 2 and the names that there are`, async (t) => {
      const { desk } = await withAuthority(t, twoOfEach);
      const { code, out, err } = await desk.run('trust', 'export', option, name);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, words);
    });
  }
});

suite("a listener's certificate that the chain does not verify", () => {
  test('of a public CA: said in words and in JSON', async (t) => {
    const { desk } = await withAuthority(t);
    const [web] = await certifyChain('Web CA');
    await savePem(
      join(desk.folder, 'pki'),
      'listener.pem',
      await certify('est.example.com', web!, { ca: false }),
    );
    const { listenerCertificate, rootSuffices } = await json(desk);
    assert.deepEqual([listenerCertificate, rootSuffices], ['foreign', false]);
    const { out } = await desk.run('trust', 'export');
    assert.match(
      out.replaceAll('\n', ' '),
      /listener enroll is not issued under this chain but by CN=Web CA: .*does not verify the server/,
    );
  });

  test('ours, but sent without the issuing CA', async (t) => {
    const { desk } = await withAuthority(t);
    const file = join(desk.folder, 'pki/listener.pem');
    const [leaf] = (await readFile(file, 'utf8')).split(/(?<=-----END CERTIFICATE-----\n)/);
    await writeFile(file, leaf!);
    const { listenerCertificate, rootSuffices } = await json(desk);
    assert.deepEqual([listenerCertificate, rootSuffices], ['under', false]);
    const { out } = await desk.run('trust', 'export');
    assert.match(out.replaceAll('\n', ' '), /listener does not send what is between/);
  });
});

suite('a listener whose certificate the authority issues itself', () => {
  const issued = (issuer: string) => (yaml: string) =>
    yaml
      .replace('address: 127.0.0.1', 'address: 0.0.0.0')
      .replace(
        'certificate: pki/listener.pem',
        `issued: { issuer: ${issuer}, names: [10.0.0.5, ca.example.org] }`,
      );

  test('is reached by a name that it will have, and verified by the chain of its issuer', async (t) => {
    const { desk } = await withAuthority(t, issued('issuing'));
    const { url, listenerCertificate, rootSuffices } = await json(desk);
    assert.deepEqual(
      [url, listenerCertificate, rootSuffices],
      ['https://ca.example.org:8443', 'under', true],
    );
    const { code, err } = await desk.run('trust', 'export');
    assert.deepEqual([code, err], [0, '']);
  });

  test('by an issuer under another root is foreign, and the words name the setting', async (t) => {
    const { desk } = await withAuthority(t, (yaml) => issued('servers')(twoOfEach(yaml)));
    const pki = join(desk.folder, 'pki');
    const [servers, root] = await certifyChain('Other Root', 'Servers');
    await savePem(pki, 'servers.pem', servers!);
    await savePem(pki, 'other-root.pem', root!);
    const file = join(desk.folder, 'sallyport.yaml');
    const yaml = await readFile(file, 'utf8');
    const own = /^ {2}servers:\n(?: {4}.*\n)+/m.exec(yaml)![0];
    const moved = own
      .replace('pki/issuing.pem', 'pki/servers.pem')
      .replace('pki/root.pem', 'pki/other-root.pem');
    await writeFile(file, yaml.replace(own, moved));
    const { listenerCertificate, rootSuffices } = await json(desk);
    assert.deepEqual([listenerCertificate, rootSuffices], ['foreign', false]);
    const { out } = await desk.run('trust', 'export');
    assert.match(
      out.replaceAll('\n', ' '),
      /but by CN=Servers: .*Name the issuer of this chain in tls\.issued/,
    );
    const other = await json(desk, '--issuer', 'servers');
    assert.deepEqual([other.listenerCertificate, other.rootSuffices], ['under', true]);
  });
});

test('a chain that does not verify: exit code 3, and nothing is written', async (t) => {
  const { desk } = await withAuthority(t);
  await savePem(join(desk.folder, 'pki'), 'root.pem', await certify('Other Root', null));
  const { code, out, err } = await desk.run('trust', 'export', '--format', 'root', '--out', 'root.pem');
  assert.deepEqual([code, out], [3, '']);
  assert.match(err, /^sallyport: issuer issuing: .*issuing\.pem is not signed by .*root\.pem/);
  await assert.rejects(stat(join(desk.folder, 'root.pem')));
});
