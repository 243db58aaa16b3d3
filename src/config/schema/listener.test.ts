import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

const est = '      est:\n        templates: [device, server, iot]\n        defaultTemplate: device\n';
const acme =
  '      # An account needs a key: sallyport eab create.\n      acme:\n        templates: [web]\n        defaultTemplate: web\n';

describe('listeners', () => {
  const refusals: [name: string, from: string, to: string, key: string, message: RegExp][] = [
    [
      'no class',
      '  public:\n    class: public',
      '  §public:',
      'listeners.public.class',
      /^is required: must be one of enroll, enroll-http, public, api, admin$/,
    ],
    [
      'another class',
      'class: enroll',
      'class: §enrol',
      'listeners.enroll.class',
      /^must be one of enroll, enroll-http, public, api, admin, not "enrol"; did you mean "enroll"\?$/,
    ],
    [
      'admin on an address',
      'class: admin',
      'class: admin\n    §address: 0.0.0.0',
      'listeners.admin.address',
      /^an admin listener is a Unix socket/,
    ],
    [
      'admin on TCP',
      'class: admin',
      'class: admin\n    §port: 9000',
      'listeners.admin.port',
      /^an admin listener is a Unix socket/,
    ],
    [
      'admin without socket',
      '  admin:\n    class: admin\n    socket: run/admin.sock',
      '  §admin:\n    class: admin',
      'listeners.admin.socket',
      /^is required$/,
    ],
    [
      'public with TLS',
      'class: public',
      'class: public\n    §tls: {}',
      'listeners.public.tls',
      /RFC 5280 section 8/,
    ],
    [
      'public with protocols',
      'class: public',
      'class: public\n    §protocols: {}',
      'listeners.public.protocols',
      /make it of class enroll/,
    ],
    [
      'enroll with no protocol',
      `    protocols:\n${est}${acme}`,
      '    §protocols: {}\n',
      'listeners.enroll.protocols',
      /^an enroll listener serves at least one protocol: est, scep, acme or attestation$/,
    ],
    [
      'no templates',
      'templates: [device, server, iot]\n        defaultTemplate: device',
      '§templates: []',
      'listeners.enroll.protocols.est.templates',
      /^must list at least 1$/,
    ],
    [
      'a template twice',
      '[device, server, iot]',
      '[device, server, §device]',
      'listeners.enroll.protocols.est.templates[2]',
      /^stands here twice$/,
    ],
    [
      'a default not listed',
      'defaultTemplate: device',
      'defaultTemplate: §printer',
      'listeners.enroll.protocols.est.defaultTemplate',
      /^must be one of the templates/,
    ],
    [
      'sources that are no CIDR',
      '[127.0.0.0/8, "::1/128"]',
      '[§127.0.0.0/33]',
      'listeners.enroll.sources[0]',
      /33/,
    ],
    [
      'bits behind the prefix',
      '[127.0.0.0/8, "::1/128"]',
      '[§10.1.2.3/8]',
      'listeners.enroll.sources[0]',
      /bits set behind its prefix/,
    ],
    [
      'a host name as address',
      'address: 127.0.0.1',
      'address: §localhost',
      'listeners.enroll.address',
      /^must be an IPv4 or IPv6 address$/,
    ],
    [
      'EST without TLS',
      'class: enroll-http\n    address: 127.0.0.1\n    port: 8445\n    sources: [127.0.0.0/8, "::1/128"]\n    protocols:\n',
      'class: enroll-http\n    address: 127.0.0.1\n    port: 8445\n    sources: [127.0.0.0/8, "::1/128"]\n    protocols:\n      §est: {}\n',
      'listeners.scep.protocols.est',
      /^unknown key; known here: scep$/,
    ],
    [
      'TLS on plain HTTP',
      'class: enroll-http\n',
      'class: enroll-http\n    §tls: {}\n',
      'listeners.scep.tls',
      /plain HTTP: make it of class enroll/,
    ],
    ['a port beyond', 'port: 8443', 'port: §65536', 'listeners.enroll.port', /^must be at most 65535$/],
    [
      'a port in quotes',
      'port: 8443',
      'port: §"8443"',
      'listeners.enroll.port',
      /^expected a number, found text$/,
    ],
    ['half a port', 'port: 8443', 'port: §1.5', 'listeners.enroll.port', /^expected a whole number/],
    [
      'an old TLS floor',
      'minimum: TLSv1.3',
      'minimum: §TLSv1.1',
      'listeners.enroll.tls.minimum',
      /^must be one of TLSv1.3, TLSv1.2, not "TLSv1.1"/,
    ],
    [
      'a bound too small',
      'class: public',
      'class: public\n    maximumBodyBytes: §1',
      'listeners.public.maximumBodyBytes',
      /^must be at least 1024$/,
    ],
    [
      'a timeout too long',
      'class: public',
      'class: public\n    requestTimeout: §1d',
      'listeners.public.requestTimeout',
      /^must be at most 10m$/,
    ],
    [
      'a name in capitals',
      '  public:\n',
      '  §Public:\n',
      'listeners.Public',
      /^a name has lower-case letters/,
    ],
    [
      'a control character in a path',
      'run/admin.sock',
      '§"run/\\tadmin"',
      'listeners.admin.socket',
      /control characters/,
    ],
  ];
  for (const [name, from, to, key, message] of refusals) {
    test(`refused: ${name}`, () => assertRefused(edited(from, to), key, message));
  }

  const demanded: [key: string, text: string][] = [
    ['address', '    address: 127.0.0.1\n'],
    ['port', '    port: 8443\n'],
    ['sources', '    sources: [127.0.0.0/8, "::1/128"]\n'],
    ['protocols', `    protocols:\n${est}${acme}`],
    ['tls', /^ {4}tls:\n(?: {6}.*\n)+/m.exec(edited('', ''))?.[0] ?? 'the initial configuration has no TLS'],
  ];
  for (const [key, text] of demanded) {
    test(`an enroll listener needs ${key}`, () => {
      assertRefused(
        edited('  enroll:\n', '  §enroll:\n', edited(text, '')),
        `listeners.enroll.${key}`,
        /^is required$/,
      );
    });
  }
});

test('SCEP for templates of an issuer without an RA is refused', () => {
  const ra = /^ {4}# Opens the requests[\s\S]*?(?=^ {4}crl:)/m.exec(edited('', ''))![0];
  const problems = problemsOf(edited(ra, ''));
  assert.equal(problems.length, 2);
  for (const problem of problems) assert.match(problem, /is of issuer issuing, which has no RA/);
});

describe('source ranges', () => {
  const problemsWith = (source: string) =>
    problemsOf(edited('[127.0.0.0/8, "::1/128"]', `[${JSON.stringify(source)}]`));
  const dotted = (bits: number) => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
  const network = fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 1, max: 32 }));

  test('each network is taken, and refused with a bit behind its prefix', () => {
    fc.assert(
      fc.property(network, ([address, prefix]) => {
        const masked = address & (-1 << (32 - prefix));
        assert.deepEqual(problemsWith(`${dotted(masked)}/${prefix}`), []);
        if (prefix < 32) assert.equal(problemsWith(`${dotted(masked | 1)}/${prefix}`).length, 1);
      }),
      { numRuns: 30 },
    );
  });

  test('arbitrary text is a network or a problem of this key', () => {
    const text = fc.oneof(fc.string(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{1,20}\/[0-9]{1,3}$/));
    fc.assert(
      fc.property(text, (source) => {
        for (const problem of problemsWith(source)) {
          assert.match(problem, / listeners\.enroll\.sources\[0\]: /);
        }
      }),
      { numRuns: 60 },
    );
  });
});
