import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sourceKey } from '#limits';

test('an IPv4 address is its own key', () => {
  fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(sourceKey(address), address)));
});

test('RFC 4291 section 2.5.5.2: an IPv4-mapped address is the IPv4 address, however it is written', () => {
  for (const mapped of [
    '::ffff:192.0.2.33',
    '::FFFF:192.0.2.33',
    '::ffff:c000:221',
    '0:0:0:0:0:ffff:192.0.2.33',
    '0000:0000:0000:0000:0000:ffff:c000:0221',
  ]) {
    assert.equal(sourceKey(mapped), '192.0.2.33', mapped);
  }
});

test('what only looks IPv4-mapped is IPv6', () => {
  assert.equal(sourceKey('::192.0.2.33'), '0:0:0:0::/64');
  assert.equal(sourceKey('::fffe:192.0.2.33'), '0:0:0:0::/64');
  assert.equal(sourceKey('::ff:192.0.2.33'), '0:0:0:0::/64');
  assert.equal(sourceKey('1::ffff:192.0.2.33'), '1:0:0:0::/64');
  assert.equal(sourceKey('64:ff9b::192.0.2.33'), '64:ff9b:0:0::/64');
});

test('an IPv6 address is counted by its /64', () => {
  const groups = fc.array(fc.nat({ max: 0xffff }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, fc.array(fc.nat({ max: 0xffff }), { minLength: 4, maxLength: 4 }), (one, host) => {
      const network = one.slice(0, 4).map((group) => group.toString(16));
      const address = one.map((group) => group.toString(16)).join(':');
      const neighbour = [...network, ...host.map((group) => group.toString(16).padStart(4, '0'))].join(':');
      fc.pre(!address.startsWith('0:0:0:0:') && network.length === 4);
      assert.equal(sourceKey(address), `${network.join(':')}::/64`);
      assert.equal(sourceKey(neighbour), sourceKey(address));
    }),
  );
  assert.notEqual(sourceKey('2001:db8:0:1::1'), sourceKey('2001:db8:0:2::1'));
});

test('every spelling of an IPv6 address has one key', () => {
  for (const address of [
    '2001:db8::1',
    '2001:DB8:0:0::1',
    '2001:0db8:0000:0000:0000:0000:0000:0001',
    '2001:db8::1%eth0',
  ]) {
    assert.equal(sourceKey(address), '2001:db8:0:0::/64');
  }
  assert.equal(sourceKey('fe80::1%eth0.100'), 'fe80:0:0:0::/64');
  assert.equal(sourceKey('::'), '0:0:0:0::/64');
  assert.equal(sourceKey('1:2:3:4:5:6:7::'), '1:2:3:4::/64');
  assert.equal(sourceKey('::2:3:4:5:6:7:8'), '0:2:3:4::/64');
});

test('what is no address has no key', () => {
  for (const text of [
    '',
    'localhost',
    '192.0.2',
    '192.0.2.256',
    '192.0.02.1',
    '1.2.3.4:80',
    '[::1]',
    ':::',
    '1::2::3',
    '12345::',
  ]) {
    assert.throws(() => sourceKey(text), { code: 'malformed' }, text);
  }
});
