import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused, edited, problemsOf } from './marked-file.fixture.ts';

const publicPort = 'address: 127.0.0.1\n    port: 8444';

describe('names name something', () => {
  const refusals: [name: string, from: string, to: string, key: string, message: RegExp][] = [
    [
      'issuer of a template',
      'issuer: issuing',
      'issuer: §isuing',
      'templates.device.issuer',
      /no issuer "isuing"; did you mean "issuing"/,
    ],
    [
      'issuer of a listener',
      'certificate: pki/listener.pem',
      'issued: { issuer: §isuing, names: [localhost] }',
      'listeners.enroll.tls.issued.issuer',
      /no issuer "isuing"; did you mean "issuing"/,
    ],
    [
      'template of a listener',
      'templates: [device, server, iot]',
      'templates: [device, §printer]',
      'listeners.enroll.protocols.est.templates[1]',
      /no template "printer"$/,
    ],
    [
      'template of a class',
      '    attestation: none\n    templates: [device, server, web]\n',
      '    attestation: none\n    templates: [device, §sever]\n',
      'deviceClasses.server.templates[1]',
      /did you mean "server"/,
    ],
    [
      'listener of a class',
      '    templates: [iot]\n',
      '    listeners: [§enrol]\n',
      'deviceClasses.iot.listeners[0]',
      /no enroll listener "enrol"; did you mean "enroll"/,
    ],
    [
      'listener that enrolls nobody',
      '    templates: [iot]\n',
      '    listeners: [§public]\n',
      'deviceClasses.iot.listeners[0]',
      /no enroll listener "public"$/,
    ],
    [
      'template of a limit',
      'secrets:\n',
      '  templates:\n    §devices: { burst: 1, count: 1, period: 1h }\nsecrets:\n',
      'limits.templates.devices',
      /did you mean "device"/,
    ],
  ];
  for (const [name, from, to, key, message] of refusals) {
    test(name, () => assertRefused(edited(from, to), key, message));
  }
});

describe('hardware types', () => {
  const identity = (more: string) =>
    edited('authentication: [secret]', 'authentication: [secret, idevid]').replace(
      '\nlimits:',
      `\nidentities:\n  maker:\n    kind: idevid\n    certificates: [pki/maker.pem]\n    classes: [laptop]\n    templates: [device]\n${more}\nlimits:`,
    );
  const types = 'hardwareTypes: [1.3.6.1.4.1.32473.7]\n';

  test('are for names that have one', () => {
    assert.deepEqual(problemsOf(identity(`    from: [hardwareModuleName]\n    ${types}`)), []);
    for (const from of ['', '    from: [serialNumber]\n', '    from: [hardwareModuleName, commonName]\n']) {
      assertRefused(
        identity(`${from}    §${types}`),
        'identities.maker.hardwareTypes',
        /needs from: \[hardwareModuleName\]/,
      );
    }
  });
});

describe('one of a kind', () => {
  const taken = /^listener enroll has this address and port already$/;
  const conflicts: [enroll: string, open: string][] = [
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['192.0.2.1', '0.0.0.0'],
    ['"::"', '192.0.2.1'],
    ['"2001:db8::1"', '"2001:DB8:0::1"'],
  ];
  for (const [enroll, open] of conflicts) {
    test(`${enroll} and ${open} on one port`, () => {
      const text = edited(
        publicPort,
        `address: ${open}\n    port: §8443`,
        edited('address: 127.0.0.1', `address: ${enroll}`),
      );
      assertRefused(text, 'listeners.public.port', taken);
    });
  }

  test('other addresses, wildcards of the other family and port 0 are no conflict', () => {
    const pairs = [
      ['127.0.0.1', '127.0.0.2', 8443],
      ['0.0.0.0', '"::1"', 8443],
      ['127.0.0.1', '127.0.0.1', 0],
    ] as const;
    for (const [enroll, open, port] of pairs) {
      const moved = edited('address: 127.0.0.1\n    port: 8443', `address: ${enroll}\n    port: ${port}`);
      assert.deepEqual(problemsOf(edited(publicPort, `address: ${open}\n    port: ${port}`, moved)), []);
    }
  });

  test('wildcards are allowed for public and enroll listeners', () => {
    const text = edited(
      publicPort,
      'address: "::"\n    port: 8444',
      edited('address: 127.0.0.1', 'address: 0.0.0.0'),
    );
    assert.deepEqual(problemsOf(text), []);
  });

  test('a second admin listener', () => {
    const text = edited(
      'socket: run/admin.sock',
      'socket: run/admin.sock\n  other:\n    class: §admin\n    socket: run/b.sock',
    );
    assertRefused(
      text,
      'listeners.other.class',
      /^admin is an admin listener already: there is exactly one$/,
    );
  });

  test('no admin listener', () => {
    const text = edited(
      '  admin:\n    class: admin\n    socket: run/admin.sock\n',
      '',
      edited('\nlisteners:', '\n§listeners:'),
    );
    assertRefused(text, 'listeners', /^one listener must be of class admin/);
  });

  test('a socket path that the system cannot bind', () => {
    assertRefused(
      edited('run/admin.sock', `§${'x'.repeat(100)}`),
      'listeners.admin.socket',
      /is 115 bytes long .* allows 107/,
    );
  });

  test('a key with two purposes', () => {
    const message = /^is the key of issuer issuing already: each file has one purpose$/;
    assertRefused(edited('keys/log.key.pem', '§keys/../keys/issuing.key.pem'), 'log.key.file', message);
    assertRefused(
      edited('keys/listener.key.pem', '§keys/issuing.key.pem'),
      'listeners.enroll.tls.key.file',
      message,
    );
  });

  test('two enroll listeners may share a TLS key', () => {
    const enroll = /^ {2}enroll:\n(?: {4}.*\n)+/m.exec(edited('a', 'a'))?.[0] ?? '';
    const second = enroll.replace('enroll:', 'second:').replace('8443', '9443');
    assert.deepEqual(problemsOf(edited(enroll, enroll + second)), []);
  });

  test('two writers of one file', () => {
    assertRefused(
      edited('log/events.ndjson', '§log/checkpoint'),
      'log.sinks.siem.ndjson.file',
      /^is the checkpoint already/,
    );
  });

  test('a checkpoint that comes back with a restored database', () => {
    for (const file of ['data/checkpoint', 'data', './data/a/b']) {
      assertRefused(
        edited('log/checkpoint', `§${file}`),
        'log.checkpointFile',
        /^must be outside authority.data/,
      );
    }
    assert.deepEqual(problemsOf(edited('log/checkpoint', 'data-checkpoint')), []);
    assertRefused(
      edited('log/checkpoint', 'log/checkpoint\n  anchor: { folder: §data/anchor }'),
      'log.anchor.folder',
      /^must be outside authority.data/,
    );
  });
});
