import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';
import { assertRefused } from './malformed.fixture.ts';

suite('IP addresses', () => {
  const canonical: readonly [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ];
  for (const [text, expected] of canonical) {
    test(`${text} is ${expected} (RFC 5952)`, () =>
      assert.equal(formatIpAddress(parseIpAddress(text)), expected));
  }

  for (const text of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4/24',
    'fe80::1%eth0',
    '2001:db8::/32',
    'g::',
    ' ::1',
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => assertRefused('malformed', () => parseIpAddress(text)));
  }

  test('5 octets are no address, nor are 8 (an address with a mask)', () => {
    assertRefused('malformed', () => formatIpAddress(new Uint8Array(5)));
    assertRefused('malformed', () => formatIpAddress(new Uint8Array(8)));
  });

  test('parse(format(octets)) is octets, and Node.js reads the same address', () => {
    const zeros = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(zeros, (groups) => {
        const octets = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
        const text = formatIpAddress(octets);
        assert.deepEqual(parseIpAddress(text), octets);
        const list = new BlockList();
        list.addAddress(groups.map((group) => group.toString(16)).join(':'), 'ipv6');
        assert.equal(list.check(text, 'ipv6'), true);
      }),
    );
  });
});
