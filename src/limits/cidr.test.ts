import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { cidrContains, parseCidr } from '#limits';

const contains = (range: string, address: string): boolean => cidrContains(parseCidr(range), address);

test('RFC 4632 section 3.1: a range holds the addresses that share its prefix', () => {
  assert.ok(contains('192.0.2.0/24', '192.0.2.0'));
  assert.ok(contains('192.0.2.0/24', '192.0.2.255'));
  assert.ok(!contains('192.0.2.0/24', '192.0.3.0'));
  assert.ok(contains('10.0.0.128/25', '10.0.0.200'));
  assert.ok(!contains('10.0.0.128/25', '10.0.0.127'));
  assert.ok(contains('172.16.0.0/12', '172.31.255.255'));
  assert.ok(!contains('172.16.0.0/12', '172.32.0.0'));
  assert.ok(contains('2001:db8::/33', '2001:db8:7fff::1'));
  assert.ok(!contains('2001:db8::/33', '2001:db8:8000::1'));
});

test('a lone address is a range of one', () => {
  assert.ok(contains('192.0.2.1', '192.0.2.1'));
  assert.ok(!contains('192.0.2.1', '192.0.2.0'));
  assert.ok(contains('::1', '0:0:0:0:0:0:0:1'));
  assert.ok(!contains('::1', '::'));
  assert.ok(contains('fe80::1', 'fe80::1%eth0.100'), 'the zone is not part of the address');
});

test('/0 holds every address of its version and none of the other', () => {
  assert.ok(contains('0.0.0.0/0', '255.255.255.255'));
  assert.ok(!contains('0.0.0.0/0', '2001:db8::1'));
  assert.ok(contains('::/0', '2001:db8::1'));
  assert.ok(!contains('::/0', '192.0.2.1'));
});

test('an IPv4-mapped peer is inside the IPv4 range, and not inside an IPv6 range', () => {
  assert.ok(contains('192.0.2.0/24', '::ffff:192.0.2.7'));
  assert.ok(!contains('::/0', '::ffff:192.0.2.7'));
});

test('ranges agree with those of Node', () => {
  const octets = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(octets, octets, fc.nat({ max: 32 }), (one, other, prefixLength) => {
      const network = one.map(
        (octet, at) => octet & (0xff00 >> Math.min(8, Math.max(0, prefixLength - at * 8))),
      );
      const list = new BlockList();
      list.addSubnet(network.join('.'), prefixLength, 'ipv4');
      for (const address of [one.join('.'), other.join('.')]) {
        assert.equal(contains(`${network.join('.')}/${prefixLength}`, address), list.check(address, 'ipv4'));
      }
    }),
  );
});

test('what is no address is in no range', () => {
  for (const text of ['', 'localhost', '192.0.2.1:80', '192.0.2.1/32']) {
    assert.ok(!contains('0.0.0.0/0', text), text);
  }
});

test('what is no range is a mistake in the configuration', () => {
  for (const text of [
    '',
    '/',
    '/24',
    '192.0.2.0/',
    '192.0.2.0/33',
    '192.0.2.0/024',
    '192.0.2.0/-1',
    '192.0.2.0/24/24',
    '192.0.2.0/255.255.255.0',
    '192.0.2/24',
    ' 192.0.2.0/24',
    '2001:db8::/129',
    '2001:db8::/1000',
    'fe80::%eth0/64',
    '::ffff:192.0.2.0/120',
    'example.com',
  ]) {
    assert.throws(() => parseCidr(text), { code: 'config' }, text);
  }
});

test('bits behind the prefix are a mistake: which range was meant?', () => {
  assert.throws(() => parseCidr('192.0.2.1/24'), { code: 'config', message: /behind its prefix/ });
  assert.throws(() => parseCidr('2001:db8::1/64'), { code: 'config', message: /behind its prefix/ });
  assert.throws(() => parseCidr('192.0.2.64/25'), { code: 'config', message: /behind its prefix/ });
});

test('arbitrary text gives a range or a typed error', () => {
  const parts = fc.array(fc.constantFrom('1', '255', '.', ':', '::', '/', 'ffff', '24', '%', 'g'));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        parts.map((text) => text.join('')),
      ),
      (text) => {
        try {
          parseCidr(text);
        } catch (error) {
          assert.ok(isSallyportError(error, 'config'), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});
