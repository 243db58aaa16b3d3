import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { permittedIn } from './permitted-address.ts';

const everywhere = ['0.0.0.0/0', '::/0'];

test('an address is permitted where a network holds it, and nowhere without networks', () => {
  const permitted = permittedIn(['10.0.0.0/8', '2001:db8::/32']);
  assert.equal(permitted('10.1.2.3'), '10.1.2.3');
  assert.equal(permitted('2001:db8::1'), '2001:db8::1');
  assert.equal(permitted('11.0.0.1'), null);
  assert.equal(permitted('2001:db9::1'), null);
  assert.equal(permittedIn([])('10.1.2.3'), null);
});

test('an IPv4-mapped address is the IPv4 address', () => {
  const permitted = permittedIn(['10.0.0.0/8']);
  assert.equal(permitted('::ffff:10.1.2.3'), '10.1.2.3');
  assert.equal(permitted('::ffff:a01:203'), '10.1.2.3');
  assert.equal(permitted('::ffff:11.0.0.1'), null);
  assert.equal(permittedIn(everywhere)('::ffff:169.254.169.254'), null);
  assert.equal(permittedIn(everywhere)('::ffff:127.0.0.1'), null);
});

test('whatever the networks are, there is no connection to', () => {
  const permitted = permittedIn([
    ...everywhere,
    '0.0.0.0/32',
    '169.254.0.0/16',
    'fe80::/10',
    '224.0.0.0/4',
    'fd00:ec2::254/128',
    '64:ff9b::/96',
  ]);
  for (const address of [
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '224.0.0.1',
    '239.255.255.255',
    'ff02::1',
    '255.255.255.255',
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'febf::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'fd20:ce::254',
    '100.100.100.200',
    '168.63.129.16',
    '::10.0.0.1',
    '::ffff:0:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::10.0.0.1',
    '2002:a00:1::1',
    '2001:0:a00:1::1',
    'example.org',
    '10.1',
    '0x7f000001',
    '',
  ]) {
    assert.equal(permitted(address), null, address);
  }
  assert.equal(permitted('100.100.100.201'), '100.100.100.201');
  assert.equal(permitted('fd00:ec2::253'), 'fd00:ec2::253');
});

test('loopback is permitted by a network that lies in it, and by no larger one', () => {
  assert.equal(permittedIn(everywhere)('127.0.0.1'), null);
  assert.equal(permittedIn(['126.0.0.0/7'])('127.0.0.1'), null);
  assert.equal(permittedIn(everywhere)('::1'), null);
  assert.equal(permittedIn(['127.0.0.0/8'])('127.0.0.1'), '127.0.0.1');
  assert.equal(permittedIn(['127.0.0.0/30'])('127.0.0.2'), '127.0.0.2');
  assert.equal(permittedIn(['127.0.0.0/30', '0.0.0.0/0'])('127.0.0.5'), null);
  assert.equal(permittedIn(['::1/128'])('::1'), '::1');
  assert.equal(permittedIn(['127.0.0.0/8'])('::1'), null);
});

test('what is no network is a mistake in the configuration', () => {
  assert.throws(() => permittedIn(['10.0.0.1/8']), { code: 'config' });
});

test('no spelling of an address permits what another one does not', () => {
  const permitted = permittedIn(['10.0.0.0/8', '127.0.0.0/16', '2001:db8::/32', '::/0']);
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = permitted(text);
      if (address !== null) assert.equal(permitted(address), address);
    }),
  );
  fc.assert(fc.property(fc.ipV4(), (text) => assert.equal(permitted(`::ffff:${text}`), permitted(text))));
});
