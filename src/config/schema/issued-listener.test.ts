import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfiguration } from '../load.ts';
import { assertRefused, edited } from '../marked-file.fixture.ts';

const certificate = 'certificate: pki/listener.pem';
const issued = (names: string) => edited(certificate, `issued: { issuer: issuing, names: [${names}] }`);

describe('a listener whose certificate the authority issues', () => {
  test('has names in the spelling in which they are certified, and no files', () => {
    const text = issued('CA.Example.org, 10.0.0.5, "2001:DB8:0::1", localhost');
    const { listeners } = parseConfiguration(Buffer.from(text), '/authority.yaml');
    const found = listeners.find((each) => each.class === 'enroll' && each.tls !== null)!;
    assert.deepEqual(found.tls.issued, {
      issuer: 'issuing',
      names: ['ca.example.org', '10.0.0.5', '2001:db8::1', 'localhost'],
    });
    assert.deepEqual([found.tls.certificate, found.tls.chain], [null, []]);
  });

  const names: [name: string, names: string, message: RegExp][] = [
    ['a wildcard', '§"*.example.org"', /host name or an IP address.* no wildcard/],
    ['a port', '§"ca.example.org:8443"', /host name or an IP address/],
    ['an underscore', '§ca_1.example.org', /host name or an IP address/],
    ['a URL', '§"https://ca.example.org/"', /host name or an IP address/],
    ['an address that is none', '§10.0.0.256', /host name or an IP address/],
    ['an address of one host only', '§"fe80::1%eth0"', /host name or an IP address/],
    ['every address', '§0.0.0.0', /every address and none/],
    ['every address of IPv6', '§"0:0::0"', /every address and none/],
    ['the empty text', '§""', /host name or an IP address/],
  ];
  for (const [name, text, message] of names) {
    test(`is refused with ${name}`, () =>
      assertRefused(issued(text), 'listeners.enroll.tls.issued.names[0]', message));
  }

  test('is refused without names, and with one in two spellings', () => {
    assertRefused(
      issued('').replace('names: []', '§names: []'),
      'listeners.enroll.tls.issued.names',
      /1|one/,
    );
    assertRefused(
      issued('ca.example.org, §CA.example.ORG'),
      'listeners.enroll.tls.issued.names[1]',
      /stands here twice/,
    );
  });

  test('is refused beside a certificate in a file, and with a chain of files', () => {
    const own = 'issued: { issuer: issuing, names: [localhost] }';
    assertRefused(
      edited(certificate, `${certificate}\n      §${own}`),
      'listeners.enroll.tls.issued',
      /one of the two/,
    );
    assertRefused(
      edited(certificate, `${own}\n      §chain: [pki/issuing.pem]`),
      'listeners.enroll.tls.chain',
      /`certificate` alone/,
    );
  });

  test('is refused without either', () => {
    assertRefused(
      edited(`    tls:\n      ${certificate}\n`, '    §tls:\n'),
      'listeners.enroll.tls',
      /or `issued`/,
    );
  });
});
