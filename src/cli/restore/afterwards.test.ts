import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { afterwardsOf, eventOf, type Told } from './afterwards.ts';

const backup = 3;
const now = 100;

const certificate = (serialNumber: string) => ({
  issuer: 'issuing',
  serialNumber,
  sha256: 'ab'.repeat(32),
  template: 'device',
});
const issued = (serialNumber: string, changes = {}) => ({
  outcome: 'issued',
  time: 5,
  certificate: { ...certificate(serialNumber), deviceId: 'd1', ...changes },
});
const revoke = (serialNumber: string, reason: string, time = 9) => ({
  act: 'certificate.revoke',
  time,
  detail: { ...certificate(serialNumber), device: 'd1', reason },
});
const state = (act: string, device: string, to: string) => ({ act, time: 5, detail: { device, to } });
const crl = (number: string) => ({ event: 'crl.issued', time: 5, detail: { issuer: 'issuing', number } });

type Entry = Readonly<Record<string, unknown>>;

const told = (proven: boolean, entries: readonly Entry[]) =>
  entries.flatMap((entry, index): Told[] => {
    const event = eventOf({ log: 'log', index }, entry);
    return event === null ? [] : [{ event, proven }];
  });
const after = (parts: { proven?: readonly Entry[]; unproven?: readonly Entry[] }) =>
  afterwardsOf([...told(true, parts.proven ?? []), ...told(false, parts.unproven ?? [])], {
    from: backup,
    to: now,
  });

suite('what came after the backup', () => {
  test('issued: lost, as unspecified from now on; revoked: with the reason and the time that it had', () => {
    const { lost, revoked } = after({
      proven: [
        issued('0a'),
        issued('0b'),
        revoke('0b', 'keyCompromise'),
        revoke('0b', 'superseded'),
        revoke('0c', 'superseded'),
        revoke('0c', 'keyCompromise'),
      ],
    });
    assert.deepEqual(
      lost.map(({ serialNumber, reason, revokedAt, index }) => [serialNumber, reason, revokedAt, index]),
      [
        ['0a', 0, now, 0],
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
    const { lost } = after({ proven: [{ event: 'intent.abandoned', time: 3, detail }] });
    assert.deepEqual([lost[0]!.serialNumber, lost[0]!.sha256, lost[0]!.device], ['0d', null, 'd1']);
  });

  test('a certificate of a listener is lost like any other, of no device', () => {
    const { issuer, serialNumber, sha256 } = certificate('0a');
    const detail = { listener: 'enroll', issuer, serialNumber, sha256, notAfter: 9, replaced: [] };
    const { lost } = after({ proven: [{ event: 'listener.issued', time: 5, detail }] });
    assert.deepEqual(
      lost.map((each) => [each.serialNumber, each.device, each.template, each.reason]),
      [['0a', '', 'listener', 0]],
    );
  });

  test('what an earlier restore found counts again', () => {
    const about = { ...certificate('0e'), device: 'd1', log: 'older', index: 3, revokedAt: 7 };
    const entries = [
      { event: 'certificate.lost', detail: { ...about, reason: 0 } },
      { event: 'certificate.lost', detail: { ...about, serialNumber: '0f', reason: 1 } },
      { event: 'device.suspended', detail: { device: 'd1', state: 'suspended' } },
    ];
    const { lost, revoked, stopped } = after({ proven: entries });
    assert.deepEqual(
      [...lost, ...revoked].map(({ serialNumber, reason, revokedAt, log }) => [
        serialNumber,
        reason,
        revokedAt,
        log,
      ]),
      [
        ['0e', 0, 7, 'log'],
        ['0f', 1, 7, 'log'],
      ],
    );
    assert.deepEqual(stopped, [{ device: 'd1', state: 'suspended' }]);
  });

  test('of a device the last state counts, where it stops it', () => {
    const { stopped } = after({
      proven: [
        state('device.suspend', 'd1', 'suspended'),
        state('device.resume', 'd1', 'active'),
        state('device.suspend', 'd2', 'suspended'),
        state('device.retire', 'd2', 'retired'),
      ],
    });
    assert.deepEqual(stopped, [{ device: 'd2', state: 'retired' }]);
  });

  test('of CRL numbers the greatest counts, unless it is beyond any time', () => {
    const proven = ['7', '999999999999999999', '8', '9'.repeat(40), '-1', 'x'].map(crl);
    assert.deepEqual(after({ proven }).crlNumbers, [{ issuer: 'issuing', number: 999999999999999999n }]);
  });
});

suite('what is not proven may be invented', () => {
  test('it suspends, and it neither resumes nor retires', () => {
    const { stopped } = after({
      proven: [
        state('device.suspend', 'd1', 'suspended'),
        state('device.retire', 'd2', 'retired'),
        state('device.suspend', 'd3', 'suspended'),
        state('device.resume', 'd3', 'active'),
      ],
      unproven: [
        state('device.resume', 'd1', 'active'),
        state('device.suspend', 'd2', 'suspended'),
        state('device.suspend', 'd3', 'suspended'),
        state('device.resume', 'd3', 'active'),
        state('device.retire', 'd4', 'retired'),
      ],
    });
    assert.deepEqual(stopped, [
      { device: 'd1', state: 'suspended' },
      { device: 'd2', state: 'retired' },
      { device: 'd3', state: 'suspended' },
      { device: 'd4', state: 'suspended' },
    ]);
  });

  test('it revokes, at a time between the backup and now, whatever time it names', () => {
    const times = [9_000_000_000_000_000, 1, 8, 0.5];
    const { revoked } = after({
      unproven: times.map((time, at) => revoke(`0${at + 1}`, 'keyCompromise', time)),
    });
    assert.deepEqual(
      revoked.map(({ revokedAt }) => revokedAt),
      [now, backup, 8, now],
    );
  });

  test('it raises no CRL number beyond the time for it', () => {
    const unproven = [crl(String(now)), crl(String(now + 1)), crl('999999999999999999')];
    assert.deepEqual(after({ unproven }).crlNumbers, [{ issuer: 'issuing', number: BigInt(now) }]);
  });

  test('it names no serial number that no list can hold, and nothing that no database can', () => {
    const { lost, revoked } = after({
      unproven: [
        ...['abc', '', '0', '000a', '0A', 'aa'.repeat(21), 'xx'].map((serial) => issued(serial)),
        issued('0a', { sha256: 'ab' }),
        issued('0b', { deviceId: 'd\u00001' }),
        issued('0c', { template: 'x'.repeat(60_000) }),
      ],
    });
    assert.deepEqual([lost, revoked], [[], []]);
  });
});

test('entries of any shape are taken or passed over', () => {
  const kind = fc.constantFrom(
    'issued',
    'intent.abandoned',
    'certificate.revoke',
    'certificate.lost',
    'device.retire',
    'device.retired',
    'crl.issued',
    'listener.issued',
  );
  const entry = fc.record({
    event: kind,
    detail: fc.jsonValue(),
    certificate: fc.jsonValue(),
    time: fc.jsonValue(),
  });
  fc.assert(fc.property(entry, (given) => void after({ unproven: [given as Record<string, unknown>] })));
});
