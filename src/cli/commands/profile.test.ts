import assert from 'node:assert/strict';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { authorityInProcess, sallyportHere } from '../../../test/harness/authority.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { ClientFolder } from '../../../test/harness/client-files.ts';

describe('sallyport profile', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let folder: ClientFolder;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml
        .replace('    protocols:\n      scep:', '    protocols:\n      scep:\n        caCertificates: path')
        .replace('templates: [server, device]', 'templates: [server, device, bound, named]')
        .replace('  # TLS servers.\n', `${bound}${named}  # TLS servers.\n`)
        .replace('    templates: [device]\n', '    templates: [device, bound, named]\n')
        .replace(
          '  attested-laptop:',
          '  branch:\n    attestation: none\n    listeners: [enroll]\n  attested-laptop:',
        ),
    );
    folder = await ClientFolder.make(cleanup);
    await authority.admin.device('laptop-7');
    await authority.admin.device('laptop-8', { identifiers: { dnsName: 'laptop-8.example.com' } });
    await authority.admin.device('branch-1', { deviceClass: 'branch' });
    await authority.admin.device('tagged-1', { identifiers: { assetTag: 'Room, 7' } });
    await authority.admin.device('retired-1');
    await authority.admin.client.perform('retireDevice', { id: 'retired-1' });
  });

  const run = (...words: string[]) => sallyportHere('profile', ...words, '--config', authority.configuration);
  const url = () => ['--url', new URL(authority.scep).origin];
  const secrets = async () => (await authority.admin.client.perform('listSecrets', {})).items;
  const usual = ['apple', '--device', 'laptop-7', '--template', 'device'];

  const refusals: [what: string, words: string[], code: number, message: RegExp][] = [
    [
      'a template that is not there',
      ['apple', '--device', 'laptop-7', '--template', 'devcie'],
      2,
      /no template devcie; the configuration has device/,
    ],
    [
      'a template for keys that are not RSA',
      ['apple', '--device', 'laptop-7', '--template', 'iot'],
      2,
      /template iot is for keys of ec-p256: .* takes RSA/,
    ],
    [
      'a template that demands channel binding',
      ['apple', '--device', 'laptop-7', '--template', 'bound'],
      2,
      /bound demands that a request is bound to its connection/,
    ],
    [
      'a listener that serves no SCEP',
      [...usual, '--listener', 'enroll'],
      2,
      /no listener "enroll" serves template device over SCEP; scep does/,
    ],
    ['an address that is none', [...usual, '--url', 'scep.example.com'], 2, /--url is an http or https URL/],
    ['no device', ['apple', '--template', 'device'], 2, /say with --device/],
    [
      'a device for Intune',
      ['intune', '--device', 'laptop-7', '--template', 'device'],
      2,
      /leave out --device/,
    ],
    [
      'a lifetime for Intune',
      ['intune', '--lifetime', '1h', '--template', 'device'],
      2,
      /leave out --device and --lifetime/,
    ],
    ['a format for Apple', [...usual, '--format', 'table'], 2, /--format is for windows/],
    [
      'a kind that is none',
      ['palm', '--device', 'laptop-7', '--template', 'device'],
      2,
      /Allowed choices are apple, windows/,
    ],
    ['an unknown device', ['apple', '--device', 'nobody', '--template', 'device'], 1, /no device nobody/],
    [
      'a device that may not enroll any more',
      ['apple', '--device', 'retired-1', '--template', 'device'],
      1,
      /retired-1 is retired/,
    ],
    [
      'a device that lacks what its names are made of',
      ['apple', '--device', 'laptop-7', '--template', 'named'],
      1,
      /named builds no names for device laptop-7: .*the device has no assetTag/,
    ],
    [
      'a class that may not have the template',
      ['apple', '--device', 'laptop-8', '--template', 'server'],
      1,
      /devices of class laptop may not have template server/,
    ],
    [
      'a class that enrolls elsewhere',
      ['apple', '--device', 'branch-1', '--template', 'device'],
      1,
      /class branch may not enroll at listener scep; they may at enroll/,
    ],
    [
      'a lifetime that is too long',
      [...usual, '--lifetime', '90d'],
      2,
      /a secret lives 60 to 604800 seconds/,
    ],
    [
      'a name that the client cannot be told',
      ['strongswan', '--device', 'tagged-1', '--template', 'named'],
      2,
      /strongSwan cannot be told the subject's commonName/,
    ],
    [
      'TLS for sscep',
      ['sscep', '--device', 'laptop-7', '--template', 'device', '--url', 'https://scep.example.com'],
      2,
      /sscep speaks no TLS/,
    ],
  ];
  for (const [what, words, code, message] of refusals) {
    test(`${what}: exit code ${code}, no secret and no file`, async () => {
      const before = (await secrets()).length;
      const out = folder.path('refused');
      const given = words.includes('--url') ? [] : url();
      const result = await run(...words, ...given, '--out', out);
      assert.deepEqual([result.code, result.stdout], [code, ''], result.stderr);
      assert.match(result.stderr, message);
      assert.equal((await secrets()).length, before);
      assert.ok(!(await readdir(folder.directory)).includes('refused'));
    });
  }

  test('a port that the system chooses needs --url', async () => {
    const { code, stderr } = await run(...usual);
    assert.equal(code, 2);
    assert.match(stderr, /the system chooses the port of listener scep/);
  });

  test('--out writes a new file that its owner alone reads, and says when the secret ends and not what it is', async () => {
    const out = folder.path('laptop-7.mobileconfig');
    const { code, stdout, stderr } = await run(...usual, ...url(), '--lifetime', '15m', '--out', out);
    assert.equal(code, 0, stderr);
    assert.equal((await stat(out)).mode & 0o777, 0o600);
    const secret = /<key>Challenge<\/key>\s*<string>(.*)<\/string>/.exec(await readFile(out, 'utf8'))![1]!;
    assert.match(secret, /^[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5})+$/);
    assert.match(stdout, /^Wrote .*laptop-7\.mobileconfig\. The secret \S+ in it can be used until /);
    assert.ok(!stdout.includes(secret));
    const [created] = await secrets();
    assert.ok(stdout.includes(created!.id));
    const { device, template } = created!;
    assert.deepEqual([device, template], ['laptop-7', 'device']);
    const life = Date.parse(created!.expiresAt) - Date.parse(created!.createdAt);
    assert.equal(life, 15 * 60_000);
  });

  for (const [what, make] of [
    ['a file', (file: string) => writeFile(file, 'another')],
    ['a link to nowhere', (file: string) => symlink(`${file}-nowhere`, file)],
  ] as const) {
    test(`${what} that is there stays as it is, and no secret is made`, async () => {
      const out = folder.path(what.replaceAll(' ', '-'));
      await make(out);
      const before = (await secrets()).length;
      const { code, stderr } = await run(...usual, ...url(), '--out', out);
      assert.equal(code, 1);
      assert.match(stderr, /is there already.*Name another file with --out/);
      assert.equal((await secrets()).length, before);
      assert.ok(!(await readdir(folder.directory)).includes(`${path.basename(out)}-nowhere`));
    });
  }

  test('--json has the profile, where it leads, and of the secret its id and end', async () => {
    const { stdout } = await run('windows', '--format', 'table', ...usual.slice(1), ...url(), '--json');
    const printed = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(Object.keys(printed), ['device', 'template', 'listener', 'url', 'secret', 'profile']);
    assert.deepEqual([printed['listener'], printed['url']], ['scep', `${authority.scep}/device`]);
    assert.match(String(printed['profile']), /^RetryCount +30\n/);
    assert.deepEqual(Object.keys(printed['secret'] as object), ['id', 'expiresAt']);
  });

  test('intune: the values to type, no secret, and that the template does not have Intune asked', async () => {
    const before = (await secrets()).length;
    const { code, stdout, stderr } = await run('intune', '--template', 'device', ...url());
    assert.equal(code, 0, stderr);
    assert.equal((await secrets()).length, before);
    assert.match(
      stdout.replaceAll('\n', ' '),
      /does not have Intune asked whether a challenge is true.* workflow of kind intune/,
    );
    for (const line of [
      /^Subject name format +CN=<device\.id>$/m,
      /^Subject alternative name +DNS: <device\.dnsName>\n +URI: urn:serial:<device\.serialNumber>$/m,
      /^Key usage +Digital signature$/m,
      /^Key size \(bits\) +2048$/m,
      /^Renewal threshold \(%\) +20$/m,
      /^Extended key usage +1\.3\.6\.1\.5\.5\.7\.3\.2$/m,
      new RegExp(`^SCEP Server URLs +${authority.scep}/device$`, 'm'),
    ]) {
      assert.match(stdout, line);
    }
  });
});

const bound = `\
  bound:
    issuer: issuing
    subject:
      - commonName: "{device.id}"
    keyAlgorithms: [rsa-2048]
    keyUsage: [digitalSignature]
    extendedKeyUsage: [clientAuth]
    validity: 30d
    authentication: [secret]
    channelBinding: required
`;
const named = bound
  .replace('bound:', 'named:')
  .replace('device.id', 'device.assetTag')
  .replace('    channelBinding: required\n', '');
