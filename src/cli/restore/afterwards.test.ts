import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterwardsOf, type Event, eventOf } from './afterwards.ts';

const issued = (serialNumber: string, time = 5) => ({
  outcome: 'issued',
  time,
  certificate: { issuer: 'issuing', serialNumber, sha256: 'ab', deviceId: 'd1', template: 'device' },
});
const revoke = (serialNumber: string, reason: string, time = 9) => ({
  act: 'certificate.revoke',
  time,
  detail: { issuer: 'issuing', serialNumber, sha256: 'ab', device: 'd1', template: 'device', reason },
});
const state = (act: string, device: string, to: string) => ({ act, time: 1, detail: { device, to } });

const after = (...entries: readonly Readonly<Record<string, unknown>>[]) =>
  afterwardsOf(
    entries.flatMap((entry, index): Event[] => {
      const event = eventOf(index, entry);
      return event === null ? [] : [event];
    }),
    100,
  );

test('what was issued is lost, as unspecified from now on; what was revoked then keeps reason and time', () => {
  const { lost, revoked } = after(
    issued('0a'),
    issued('0b'),
    revoke('0b', 'keyCompromise'),
    revoke('0c', 'superseded'),
  );
  assert.deepEqual(
    lost.map(({ serialNumber, reason, revokedAt, index }) => [serialNumber, reason, revokedAt, index]),
    [
      ['0a', 0, 100, 0],
      ['0b', 1, 9, 1],
    ],
  );
  assert.deepEqual(
    revoked.map(({ serialNumber, reason, revokedAt }) => [serialNumber, reason, revokedAt]),
    [['0c', 4, 9]],
  );
});

test('an intent that was abandoned is a serial number without a certificate', () => {
  const detail = { id: 'i', issuer: 'issuing', serialNumber: '0d', deviceId: 'd1', template: 'device' };
  const { lost } = after({ event: 'intent.abandoned', time: 3, detail });
  assert.deepEqual([lost[0]!.serialNumber, lost[0]!.sha256, lost[0]!.device], ['0d', null, 'd1']);
});

test('of a device the last state counts, where it stops it', () => {
  const { stopped } = after(
    state('device.suspend', 'd1', 'suspended'),
    state('device.resume', 'd1', 'active'),
    state('device.suspend', 'd2', 'suspended'),
    state('device.retire', 'd2', 'retired'),
  );
  assert.deepEqual(stopped, [{ device: 'd2', state: 'retired' }]);
});

test('of CRL numbers the greatest counts, unless it is beyond any time', () => {
  const crl = (number: string) => ({ event: 'crl.issued', time: 1, detail: { issuer: 'issuing', number } });
  const { crlNumbers } = after(
    crl('7'),
    crl('999999999999999999'),
    crl('8'),
    crl('9'.repeat(40)),
    crl('-1'),
    crl('x'),
  );
  assert.deepEqual(crlNumbers, [{ issuer: 'issuing', number: 999999999999999999n }]);
});

test('entries of any shape are taken or passed over', () => {
  const kind = fc.constantFrom(
    'issued',
    'intent.abandoned',
    'certificate.revoke',
    'device.retire',
    'crl.issued',
  );
  const entry = fc.record({
    event: kind,
    detail: fc.jsonValue(),
    certificate: fc.jsonValue(),
    time: fc.jsonValue(),
  });
  fc.assert(fc.property(entry, (given) => void after(given as Record<string, unknown>)));
});
