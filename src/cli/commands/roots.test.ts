import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { derToPem, formatName, parseCertificate, pemToDer } from '#x509';
import { type CaSettings, TestCa } from '../../../test/harness/pki.ts';
import { type Desk, openDesk } from '../terminal.fixture.ts';

const day = 86_400_000;

async function withAuthority(t: TestContext): Promise<Desk> {
  const desk = await openDesk(t);
  const { code, err } = await desk.run('init', '--yes', '--name', 'Roots');
  assert.equal(code, 0, err);
  return desk;
}

const sha256 = ({ certificate }: Pick<TestCa, 'certificate'>) =>
  new X509Certificate(certificate).fingerprint256;
const save = (desk: Desk, file: string, ...certificates: readonly { readonly pem: string }[]) =>
  writeFile(join(desk.folder, file), certificates.map(({ pem }) => pem).join(''));
const asSet = ['--format', 'tpm', '--name', 'fleet', '--level', 'discrete-tpm'];
const written = (desk: Desk, file = 'roots/fleet.pem') => readFile(join(desk.folder, file), 'utf8');

suite('roots import shows', () => {
  test('what each certificate of PEM and DER is, and writes nothing', async (t) => {
    const desk = await openDesk(t);
    const root = TestCa.root('Root of Tests');
    const below = root.intermediate('CA of Tests');
    await save(desk, 'two.pem', root, below);
    await writeFile(join(desk.folder, 'one.der'), root.certificate);
    const { code, out } = await desk.run('roots', 'import', 'two.pem', 'one.der', '--json');
    assert.equal(code, 0);
    const { certificates } = JSON.parse(out) as { certificates: Record<string, unknown>[] };
    assert.deepEqual(
      certificates.map(({ subject, kind, key, known, sha256: digest }) => [
        subject,
        kind,
        key,
        known,
        digest,
      ]),
      [
        ['CN=Root of Tests', 'root', 'EC, P-256', null, sha256(root).replaceAll(':', '').toLowerCase()],
        [
          'CN=CA of Tests',
          'intermediate',
          'EC, P-256',
          null,
          sha256(below).replaceAll(':', '').toLowerCase(),
        ],
      ],
    );
    assert.match(
      (await desk.run('roots', 'import', 'two.pem')).out,
      /^unknown\n {2}subject +CN=Root of Tests\n/,
    );
    assert.deepEqual((await readdir(desk.folder)).toSorted(), ['one.der', 'two.pem']);
  });

  test('nothing of what is no certificate, is too long or is not there: exit code 2', async (t) => {
    const desk = await openDesk(t);
    await writeFile(join(desk.folder, 'text.pem'), 'none');
    await writeFile(join(desk.folder, 'der'), Buffer.from('3003020101', 'hex'));
    await writeFile(join(desk.folder, 'long.pem'), Buffer.alloc(4 * 1024 * 1024 + 1, 'x'));
    for (const [file, words] of [
      ['text.pem', /no CERTIFICATE/],
      ['der', /holds no certificates/],
      ['long.pem', /longer than 4 MiB/],
      ['none.pem', /ENOENT/],
    ] as const) {
      const { code, err } = await desk.run('roots', 'import', file);
      assert.equal(code, 2);
      assert.match(err, words);
    }
  });

  test('a set needs its format and its name', async (t) => {
    const desk = await openDesk(t);
    const root = TestCa.root('Root of Tests');
    await save(desk, 'root.pem', root);
    for (const options of [
      ['--format', 'tpm'],
      ['--name', 'fleet'],
      ['--replace'],
      ['--fingerprint', sha256(root)],
    ]) {
      const { code, err } = await desk.run('roots', 'import', 'root.pem', ...options);
      assert.equal(code, 2);
      assert.match(err, /needs --format and --name/);
    }
  });
});

suite('roots import takes', () => {
  test('roots whose fingerprint was compared, with the intermediates that lead to them', async (t) => {
    const desk = await withAuthority(t);
    const [root, stranger] = [TestCa.root('Root of Tests'), TestCa.root('Stranger')];
    const [upper, ended] = [
      root.intermediate('Upper'),
      root.intermediate('Ended', { notAfter: Date.now() - day }),
    ];
    const lower = upper.intermediate('Lower');
    await save(desk, 'root.pem', root);
    // One of its name, that somebody else has signed.
    const forged = stranger.intermediate('Lower', { key: lower.key });
    await save(
      desk,
      'cas.pem',
      lower,
      ended,
      stranger.intermediate('Other'),
      forged,
      root.intermediate('None', { ca: false }),
      upper,
      root,
    );
    const words = [
      'roots',
      'import',
      'root.pem',
      ...asSet,
      '--intermediates',
      'cas.pem',
      '--fingerprint',
      sha256(root),
    ];
    const { code, out, err } = await desk.run(...words);
    assert.equal(code, 0, err);
    assert.match(out, /1 roots and 2 intermediates were written; 4 were left out/);
    const lines = [
      'fleet:',
      '  format: tpm',
      '  certificates: [roots/fleet.pem]',
      '  intermediates: [roots/fleet-intermediates.pem]',
      '  level: discrete-tpm',
    ];
    assert.ok(out.includes(`attestation:\n  roots:\n${lines.map((line) => `    ${line}\n`).join('')}`), out);
    const taken = pemToDer(await written(desk, 'roots/fleet-intermediates.pem'), 'CERTIFICATE');
    assert.deepEqual(
      taken.map((der) => derToPem(der, 'CERTIFICATE')),
      [upper.pem, lower.pem],
    );
    assert.equal((await stat(join(desk.folder, 'roots/fleet.pem'))).mode & 0o777, 0o644);
    assert.deepEqual((await readdir(join(desk.folder, 'roots'))).toSorted(), [
      'fleet-intermediates.pem',
      'fleet.pem',
    ]);
    // The lines are what the configuration takes.
    await appendFile(join(desk.folder, 'sallyport.yaml'), `\n${out.slice(out.indexOf('attestation:'))}`);
    const listed = await desk.run('roots', 'list');
    assert.equal(listed.code, 0, listed.err + listed.out);
    assert.match(listed.out, /^fleet {2}tpm, discrete-tpm, 2 intermediates\n {2}CN=Root of Tests\n/);
    assert.match(listed.out, /is no root that is known here\n/);
  });

  test('nothing that a certificate says of itself into the file beside it', async (t) => {
    const desk = await withAuthority(t);
    const root = TestCa.root('-----BEGIN CERTIFICATE-----');
    await save(desk, 'root.pem', root);
    assert.equal(
      (await desk.run('roots', 'import', 'root.pem', ...asSet, '--fingerprint', sha256(root))).code,
      0,
    );
    const text = await written(desk);
    assert.deepEqual(text.split('\n')[0], `# SHA-256 ${sha256(root).replaceAll(':', '').toLowerCase()}`);
    assert.equal(pemToDer(text, 'CERTIFICATE').length, 1);
  });

  test('no file that is there already, but with --replace, and then whole', async (t) => {
    const desk = await withAuthority(t);
    const [one, two] = [TestCa.root('One'), TestCa.root('Two')];
    await save(desk, 'one.pem', one);
    await save(desk, 'two.pem', two);
    const take = (file: string, root: TestCa, ...more: string[]) =>
      desk.run('roots', 'import', file, ...asSet, '--fingerprint', sha256(root), ...more);
    assert.equal((await take('one.pem', one)).code, 0);
    const before = await written(desk);
    // The same again is no change.
    assert.equal((await take('one.pem', one)).code, 0);
    const { code, err } = await take('two.pem', two);
    assert.equal(code, 1);
    assert.match(err, /holds something else; nothing was changed/);
    assert.equal(await written(desk), before);
    assert.equal((await take('two.pem', two, '--replace')).code, 0);
    assert.ok((await written(desk)).includes(two.pem));
  });

  test('neither file where the second would stay another, and no link for a file', async (t) => {
    const desk = await withAuthority(t);
    const root = TestCa.root('Root of Tests');
    await save(desk, 'root.pem', root);
    await save(desk, 'cas.pem', root.intermediate('CA'));
    await mkdir(join(desk.folder, 'roots'));
    await writeFile(join(desk.folder, 'roots/fleet-intermediates.pem'), 'mine');
    const words = ['roots', 'import', 'root.pem', ...asSet, '--fingerprint', sha256(root)];
    assert.equal((await desk.run(...words, '--intermediates', 'cas.pem')).code, 1);
    assert.deepEqual(await readdir(join(desk.folder, 'roots')), ['fleet-intermediates.pem']);
    await symlink('/nowhere', join(desk.folder, 'roots/fleet.pem'));
    assert.equal((await desk.run(...words)).code, 1);
    assert.equal((await desk.run(...words, '--replace')).code, 0);
    assert.ok((await lstat(join(desk.folder, 'roots/fleet.pem'))).isFile());
  });

  test(
    'into no folder that cannot be written: exit code 2, and nothing left behind',
    { skip: process.getuid?.() === 0 ? 'root can write anywhere' : false },
    async (t) => {
      const desk = await withAuthority(t);
      const root = TestCa.root('Root of Tests');
      await save(desk, 'root.pem', root);
      await mkdir(join(desk.folder, 'roots'));
      await chmod(join(desk.folder, 'roots'), 0o500);
      assert.equal(
        (await desk.run('roots', 'import', 'root.pem', ...asSet, '--fingerprint', sha256(root))).code,
        2,
      );
    },
  );
});

suite('roots import refuses', () => {
  /** All that is wrong, and nothing is written. */
  const refused = async (t: TestContext, settings: CaSettings, expected: RegExp, given?: string) => {
    const desk = await withAuthority(t);
    const [root, good] = [TestCa.root('Root of Tests', settings), TestCa.root('Good')];
    await save(desk, 'root.pem', good, root);
    const fingerprints = [good, root].flatMap((each) => ['--fingerprint', given ?? sha256(each)]);
    const { code, err } = await desk.run('roots', 'import', 'root.pem', ...asSet, ...fingerprints);
    assert.match(err, expected);
    assert.equal(existsSync(join(desk.folder, 'roots/fleet.pem')), false);
    return code;
  };
  const now = Date.now();
  for (const [what, settings, words] of [
    [
      'one that has ended',
      { notAfter: now - day, notBefore: now - 2 * day },
      /CN=Root of Tests, SHA-256 [0-9a-f]{64}, ended on/,
    ],
    ['one that has not begun', { notBefore: now + day }, /begins on/],
    ['one of no CA', { ca: false }, /is no CA/],
    ['one of a CA that signs no certificates', { keyUsage: ['cRLSign'] }, /is no CA/],
  ] as const) {
    test(`${what}: exit code 1, whatever fingerprint is given`, async (t) => {
      assert.equal(await refused(t, settings, words), 1);
    });
  }

  test('one that nobody knows, whose fingerprint is not given', async (t) => {
    const desk = await withAuthority(t);
    const [one, two] = [TestCa.root('One'), TestCa.root('Two')];
    await save(desk, 'roots.pem', one, two);
    const { code, err } = await desk.run(
      'roots',
      'import',
      'roots.pem',
      ...asSet,
      '--fingerprint',
      sha256(one),
    );
    assert.equal(code, 1);
    assert.match(err, /nothing was written:\n {2}CN=Two, .* is no root that is known here: compare this/);
    assert.ok(!err.includes('CN=One'));
  });

  test('a fingerprint of another certificate, or of none: exit code 2', async (t) => {
    assert.equal(
      await refused(t, {}, /no certificate that was given has the SHA-256 ab/, 'ab'.repeat(32)),
      2,
    );
    assert.equal(await refused(t, {}, /64 hexadecimal digits/, 'ab'), 2);
  });

  test('a level where evidence says it, and none where nobody does: exit code 2', async (t) => {
    const desk = await withAuthority(t);
    const root = TestCa.root('Root of Tests');
    await save(desk, 'root.pem', root);
    const take = (...options: string[]) =>
      desk.run('roots', 'import', 'root.pem', '--name', 'fleet', '--fingerprint', sha256(root), ...options);
    for (const format of ['apple', 'android-key']) {
      const { code, err } = await take('--format', format, '--level', 'tee');
      assert.equal(code, 2);
      assert.match(err, /leave out --level/);
    }
    for (const format of ['tpm', 'idevid', 'endorsement']) {
      const { code, err } = await take('--format', format);
      assert.equal(code, 2);
      assert.match(err, /say with --level/);
    }
    assert.equal((await take('--format', '../tpm')).code, 2);
    // No root vouches for it, and the configuration would refuse the lines.
    assert.equal((await take('--format', 'external')).code, 2);
    assert.equal((await take('--format', 'step', '--name', '../fleet')).code, 2);
  });
});

const data = join(import.meta.dirname, '../../../../shared/data');

suite('roots that vendors publish', { skip: existsSync(data) ? false : `${data} is not here` }, () => {
  const vendors = (name: RegExp, file = 'roots') =>
    pemToDer(readFileSync(join(data, `tpm/vendor-${file}.pem`), 'utf8'), 'CERTIFICATE')
      .filter((der) => name.test(formatName(parseCertificate(der).subject)))
      .map((der) => ({ pem: derToPem(der, 'CERTIFICATE') }));

  test('need no fingerprint and no level, and take the intermediates of a vendor out of all', async (t) => {
    const desk = await withAuthority(t);
    await save(desk, 'st.pem', ...vendors(/STMicro/));
    const words = ['roots', 'import', 'st.pem', '--format', 'endorsement', '--name', 'st', '--json'];
    const cas = join(data, 'tpm/vendor-intermediates.pem');
    const { code, out, err } = await desk.run(...words, '--intermediates', cas);
    assert.equal(code, 0, err);
    const { level, intermediates, leftOut, certificates } = JSON.parse(out) as Record<string, unknown>;
    const own = vendors(/STMicro/, 'intermediates').length;
    assert.deepEqual([level, intermediates, leftOut], ['discrete-tpm', own, 143 - own]);
    assert.equal((certificates as { known: { vendor: string } }[])[0]!.known.vendor, 'STMicroelectronics');
    assert.match(await written(desk, 'roots/st.pem'), /^# STMicroelectronics: STM TPM/);
  });

  test('are of one format and one level, whatever fingerprint is given', async (t) => {
    const desk = await withAuthority(t);
    const [amd] = vendors(/AMDTPM/);
    await save(desk, 'amd.pem', amd!);
    const given = ['--fingerprint', new X509Certificate(amd!.pem).fingerprint256, '--name', 'amd'];
    for (const [options, words] of [
      [['--format', 'tpm', '--level', 'firmware-tpm'], /vouches for endorsement, and not for tpm/],
      [['--format', 'apple'], /vouches for endorsement, and not for apple/],
      [['--format', 'endorsement', '--level', 'discrete-tpm'], /of level firmware-tpm, and not discrete-tpm/],
    ] as const) {
      const { code, err } = await desk.run('roots', 'import', 'amd.pem', ...given, ...options);
      assert.equal(code, 1);
      assert.match(err, words);
      assert.equal(existsSync(join(desk.folder, 'roots/amd.pem')), false);
    }
  });

  test('of two levels are no set, and one that is listed for another level is said', async (t) => {
    const desk = await withAuthority(t);
    await save(desk, 'mixed.pem', ...vendors(/AMDTPM|Infineon/));
    const words = ['roots', 'import', 'mixed.pem', '--format', 'endorsement', '--name', 'mixed'];
    assert.match((await desk.run(...words)).err, /say with --level/);
    const { code, err } = await desk.run(...words, '--level', 'discrete-tpm');
    assert.equal(code, 1);
    assert.match(err, /AMDTPM/);
    assert.ok(!err.includes('Infineon'));
    const set =
      'attestation:\n  roots:\n    mixed: { format: endorsement, certificates: [mixed.pem], level: discrete-tpm }\n';
    await appendFile(join(desk.folder, 'sallyport.yaml'), `\n${set}`);
    const listed = await desk.run('roots', 'list', '--json');
    assert.equal(listed.code, 1);
    const { sets } = JSON.parse(listed.out) as {
      sets: { roots: { known: { vendor: string }; concerns: { check: string }[] }[] }[];
    };
    for (const { known, concerns } of sets[0]!.roots) {
      const checks = known.vendor === 'AMD' ? ['root-level'] : [];
      assert.deepEqual(
        concerns.map(({ check }) => check),
        checks,
      );
    }
  });
});

test('roots list: none, one that ends soon, one that has ended', async (t) => {
  const desk = await withAuthority(t);
  assert.match((await desk.run('roots', 'list')).out, /^No roots are configured/);
  const now = Date.now();
  const [soon, ended] = [
    TestCa.root('Soon', { notAfter: now + 80 * day }),
    TestCa.root('Ended', { notBefore: now - 2 * day, notAfter: now - day }),
  ];
  await appendFile(
    join(desk.folder, 'sallyport.yaml'),
    '\nattestation:\n  roots:\n    fleet: { format: tpm, certificates: [fleet.pem], level: discrete-tpm }\n',
  );
  assert.equal((await desk.run('roots', 'list')).code, 3);
  for (const [root, words] of [
    [soon, /ends on \d{4}/],
    [ended, /ended on \d{4}/],
  ] as const) {
    await save(desk, 'fleet.pem', root);
    const { code, out } = await desk.run('roots', 'list');
    assert.equal(code, 1);
    assert.match(out, words);
    assert.match(out, /This needs somebody/);
  }
});
