import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reservedExtensions } from './template-extension.ts';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

const subject =
  '    subject:\n      - commonName: "{device.id}"\n    subjectAltName:\n      - dns: "{device.dnsName}"\n        optional: true\n      - uri: "urn:serial:{device.serialNumber}"\n        optional: true\n';
const algorithms = 'keyAlgorithms: [ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096]';
const inDevice = (rest: string) => `templates.device.${rest}`;
const request = (rule: string) => `authentication: [secret]\n    request: { subjectAltName: [${rule}] }`;

describe('templates', () => {
  const refusals: [name: string, from: string, to: string, key: string, message: RegExp][] = [
    [
      'no authentication',
      'authentication: [secret]',
      '§authentication: []',
      inDevice('authentication'),
      /^a template without any authentication layer is refused/,
    ],
    [
      'another layer',
      'authentication: [secret]',
      'authentication: [§password]',
      inDevice('authentication[0]'),
      /^must be one of secret, workflow/,
    ],
    [
      'an EST operation as label',
      '  device:\n',
      '  §cacerts:\n',
      'templates.cacerts',
      /is an EST operation.*RFC 7030 section 3.2.2/,
    ],
    ['the word for no template', '  device:\n', '  §none:\n', 'templates.none', /no template is named/],
    [
      'a name of 64 characters',
      '  device:\n',
      `  §${'x'.repeat(64)}:\n`,
      `templates.${'x'.repeat(64)}`,
      /at most 63 characters/,
    ],
    ['an underscore in the name', '  device:\n', '  §my_device:\n', 'templates.my_device', /^a name has/],
    [
      'neither subject nor SAN',
      '  device:\n    issuer: issuing\n' + subject,
      '  §device:\n    issuer: issuing\n',
      'templates.device',
      /^a template needs a subject, or a subjectAltName that is not optional$/,
    ],
    [
      'optional SAN alone',
      '  device:\n    issuer: issuing\n    subject:\n      - commonName: "{device.id}"\n',
      '  §device:\n    issuer: issuing\n',
      'templates.device',
      /^a template needs a subject/,
    ],
    [
      'a life of eleven years',
      'validity: 365d',
      'validity: §4018d',
      inDevice('validity'),
      /^must be at most 3653d$/,
    ],
    ['a life of seconds', 'validity: 365d', 'validity: §10s', inDevice('validity'), /^must be at least 5m$/],
    [
      'a window that is no duration',
      'renewalWindow: always',
      'renewalWindow: §never',
      inDevice('renewalWindow'),
      /^must be a duration such as 30d, or always$/,
    ],
    [
      'keyCertSign',
      'keyUsage: [digitalSignature]',
      'keyUsage: [§keyCertSign]',
      inDevice('keyUsage[0]'),
      /^keyCertSign makes a CA of a device/,
    ],
    [
      'cRLSign',
      'keyUsage: [digitalSignature]',
      'keyUsage: [digitalSignature, §cRLSign]',
      inDevice('keyUsage[1]'),
      /^cRLSign makes a CA of a device/,
    ],
    [
      'another key usage',
      'keyUsage: [digitalSignature]',
      'keyUsage: [§digitalSignatur]',
      inDevice('keyUsage[0]'),
      /did you mean "digitalSignature"/,
    ],
    [
      'a usage that no key can have',
      algorithms,
      'keyAlgorithms: [ec-p256]\n    keyUsage: [digitalSignature, §keyEncipherment]',
      inDevice('keyUsage[1]'),
      /^no key of keyAlgorithms can have keyEncipherment$/,
    ],
    [
      'a key without usage',
      algorithms,
      'keyAlgorithms: [rsa-2048, §ed25519]\n    keyUsage: [keyEncipherment]',
      inDevice('keyAlgorithms[1]'),
      /^keyUsage lists nothing that ed25519 keys can have$/,
    ],
    [
      'encipherOnly by itself',
      'keyUsage: [digitalSignature]',
      'keyUsage: [digitalSignature, §encipherOnly]',
      inDevice('keyUsage[1]'),
      /nothing without keyAgreement/,
    ],
    [
      'any purpose by name',
      '[clientAuth]',
      '[§anyExtendedKeyUsage]',
      inDevice('extendedKeyUsage[0]'),
      /every purpose at once/,
    ],
    [
      'any purpose by OID',
      '[clientAuth]',
      '[clientAuth, §2.5.29.37.0]',
      inDevice('extendedKeyUsage[1]'),
      /every purpose at once/,
    ],
    [
      'OCSPSigning',
      '[clientAuth]',
      '[§OCSPSigning]',
      inDevice('extendedKeyUsage[0]'),
      /answer for revocation/,
    ],
    [
      'cmcRA',
      '[clientAuth]',
      '[§1.3.6.1.5.5.7.3.28]',
      inDevice('extendedKeyUsage[0]'),
      /act as the EST server/,
    ],
    [
      'an enrollment agent',
      '[clientAuth]',
      '[§msCertificateRequestAgent]',
      inDevice('extendedKeyUsage[0]'),
      /in the name of others/,
    ],
    [
      'another purpose',
      '[clientAuth]',
      '[§clientauth]',
      inDevice('extendedKeyUsage[0]'),
      /did you mean "clientAuth"/,
    ],
    [
      'no purpose',
      'extendedKeyUsage: [clientAuth]',
      '§extendedKeyUsage: []',
      inDevice('extendedKeyUsage'),
      /at least 1/,
    ],
    [
      'one purpose by two names',
      '[clientAuth]',
      '[clientAuth, §1.3.6.1.5.5.7.3.2]',
      inDevice('extendedKeyUsage[1]'),
      /stands here twice/,
    ],
    [
      'another algorithm',
      algorithms,
      'keyAlgorithms: [§rsa-1024]',
      inDevice('keyAlgorithms[0]'),
      /^must be one of ec-p256/,
    ],
    [
      'a policy that is no OID',
      'authentication: [secret]',
      'authentication: [secret]\n    policies: [§"1.2.03"]',
      inDevice('policies[0]'),
      /dotted OID/,
    ],
    [
      'another attribute',
      'commonName: "{device.id}"',
      '§comonName: "{device.id}"',
      inDevice('subject[0].comonName'),
      /is not a subject attribute; did you mean "commonName"/,
    ],
    [
      'two attributes in one entry',
      '- commonName: "{device.id}"',
      '- §{ commonName: a, surname: b }',
      inDevice('subject[0]'),
      /^one attribute for each list entry/,
    ],
    [
      'another placeholder',
      '"{device.id}"',
      '§"{user.id}"',
      inDevice('subject[0].commonName'),
      /^a placeholder is/,
    ],
    [
      'half a placeholder',
      '"{device.id}"',
      '§"{device.id"',
      inDevice('subject[0].commonName'),
      /^a placeholder is/,
    ],
    ['an empty pattern', '"{device.id}"', '§""', inDevice('subject[0].commonName'), /not empty/],
    [
      'a line end in a pattern',
      '"{device.id}"',
      '§"a\\nb"',
      inDevice('subject[0].commonName'),
      /control characters/,
    ],
    [
      'a wildcard',
      '"{device.dnsName}"',
      '§"*.{device.dnsName}"',
      inDevice('subjectAltName[0].dns'),
      /^must be a DNS name, without wildcard$/,
    ],
    [
      'a SAN of two kinds',
      '- dns: "{device.dnsName}"',
      '- §uri: a:b\n        dns: "{device.dnsName}"',
      inDevice('subjectAltName[0]'),
      /one of dns, uri, email and ip/,
    ],
    [
      'a relative URI',
      '"urn:serial:{device.serialNumber}"',
      '§"{device.serialNumber}"',
      inDevice('subjectAltName[1].uri'),
      /URI with its scheme/,
    ],
    [
      'a range that ends in a host name',
      'authentication: [secret]',
      request('{ uri: §"https://example.com" }'),
      inDevice('request.subjectAltName[0].uri'),
      /behind any host name/,
    ],
    [
      'a range that ends in user info',
      'authentication: [secret]',
      request('{ uri: §"https://example.com:" }'),
      inDevice('request.subjectAltName[0].uri'),
      /behind any host name/,
    ],
    [
      'a range of all URIs',
      'authentication: [secret]',
      request('{ uri: §"https://" }'),
      inDevice('request.subjectAltName[0].uri'),
      /behind any host name/,
    ],
    [
      'a range of all names',
      'authentication: [secret]',
      request('{ dns: §"" }'),
      inDevice('request.subjectAltName[0].dns'),
      /must be a DNS name/,
    ],
    [
      'a range with a dot before it',
      'authentication: [secret]',
      request('{ dns: §.example }'),
      inDevice('request.subjectAltName[0].dns'),
      /must be a DNS name/,
    ],
    [
      'a range that is no CIDR',
      'authentication: [secret]',
      request('{ ip: §10.0.0.1 }'),
      inDevice('request.subjectAltName[0].ip'),
      /address range such as/,
    ],
    [
      'no names at all',
      'authentication: [secret]',
      request('{ dns: example, maximum: §0 }'),
      inDevice('request.subjectAltName[0].maximum'),
      /at least 1/,
    ],
    ...(
      [
        ['that another key builds', '2.5.29.37', '3000', 'oid', /comes from `extendedKeyUsage`/],
        ...[...reservedExtensions.keys()].map(
          (oid) => [oid, oid, '3000', 'oid', /^extension [\d.]+ \S/] as const,
        ),
        ['of X.509 itself', '2.5.29.30', '3000', 'oid', /belongs to X.509 itself/],
        ['that overrides the usages on Windows', '1.3.6.1.4.1.311.21.10', '3000', 'oid', /overrides/],
        ['that names a Windows account', '1.3.6.1.4.1.311.25.2', '3000', 'oid', /Windows account/],
        ['that makes a proxy CA', '1.3.6.1.5.5.7.1.14', '3000', 'oid', /RFC 3820/],
        ['with a value that is cut off', '1.3.6.1.4.1.32473.24', '300302', 'value', /is not one DER value/],
        [
          'with a value of 3 kB',
          '1.3.6.1.4.1.32473.24',
          `04820bb8${'00'.repeat(3000)}`,
          'value',
          /at most 2048/,
        ],
        [
          'whose OID is too long',
          `1.3.6.1.4.1${'.999999999999999999'.repeat(12)}`,
          '0500',
          'oid',
          /object identifier/,
        ],
        ['with two values', '1.3.6.1.4.1.32473.24', '05000500', 'value', /is not one DER value/],
        ['whose value is not hexadecimal', '1.3.6.1.4.1.32473.24', 'MAMCAQU=', 'value', /hexadecimal/],
      ] as const
    ).map(([name, oid, value, key, message]): (typeof refusals)[number] => [
      `an extension ${name}`,
      'authentication: [secret]',
      `authentication: [secret]\n    extensions:\n      - oid: ${key === 'oid' ? '§' : ''}"${oid}"\n        value: ${key === 'value' ? '§' : ''}"${value}"`,
      inDevice(`extensions[0].${key}`),
      message,
    ]),
    [
      'one extension twice',
      'authentication: [secret]',
      'authentication: [secret]\n    extensions:\n      - { oid: 1.2.3.4, value: "0500" }\n      - { oid: §1.2.3.4, value: "0500" }',
      inDevice('extensions[1].oid'),
      /stands here twice/,
    ],
  ];
  for (const [name, from, to, key, message] of refusals) {
    test(`refused: ${name}`, () => {
      let text = edited(from, to);
      if (!key.startsWith('templates.device')) text = withoutDevice(text);
      // Each key once.
      if (from === algorithms) text = text.replace('    keyUsage: [digitalSignature]\n', '');
      assertRefused(text, key, message);
    });
  }

  test('what clients need is allowed', () => {
    const edits: [from: string, to: string][] = [
      ['"urn:serial:{device.serialNumber}"', '"https://example.com/{device.id}"'],
      ['[clientAuth]', '[clientAuth, 1.3.6.1.4.1.311.20.2.2, kerberosPkinitClient]'],
      ['keyUsage: [digitalSignature]', 'keyUsage: [digitalSignature, keyEncipherment, keyAgreement]'],
      [
        'authentication: [secret]',
        request(
          '{ uri: "https://example.com/devices/" }, { uri: "urn:example:" }, { ip: 10.0.0.0/8 }, { email: example.com }',
        ),
      ],
      [
        'commonName: "{device.id}"',
        'countryName: CH\n      - organizationName: Example\n      - commonName: "{device.serialNumber}-{device.assetTag}"',
      ],
      ['dns: "{device.dnsName}"', 'dns: "{device.id}.devices.example.com"'],
    ];
    for (const [from, to] of edits) assert.deepEqual(problemsOf(edited(from, to)), [], to);
  });
});

/** Nothing else names `device` then. */
function withoutDevice(text: string): string {
  return text
    .replace('[device, server, iot]', '[server, iot]')
    .replaceAll('defaultTemplate: device', 'defaultTemplate: server')
    .replaceAll('[device, server]', '[server]')
    .replace('[server, device]', '[server]')
    .replaceAll('templates: [device]', 'templates: [server]');
}
