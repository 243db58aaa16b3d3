import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { authorizationStatus, challengeStatus, orderStatus } from './order-state.ts';

const now = 1_000_000;
const authorization = fc.record({
  status: fc.constantFrom('pending', 'valid', 'invalid', 'deactivated'),
  expiresAt: fc.constantFrom(now - 1, now, now + 1),
});
const order = fc.record({
  certificate: fc.constantFrom(null, 'certificate'),
  undelivered: fc.boolean(),
  withdrawn: fc.boolean(),
  error: fc.constantFrom(null, {}),
  finalizedAt: fc.constantFrom(null, now - 10),
  expiresAt: fc.constantFrom(now - 1, now, now + 1),
  authorizations: fc.array(authorization, { maxLength: 4 }),
});

describe('the state of an order (RFC 8555 section 7.1.6)', () => {
  test('is ready with nothing but valid authorizations, and valid with nothing but a certificate that may leave', () => {
    fc.assert(
      fc.property(order, (each) => {
        const status = orderStatus(each, now);
        if (status === 'ready') {
          assert.ok(each.authorizations.length > 0);
          for (const one of each.authorizations) assert.equal(authorizationStatus(one, now), 'valid');
          assert.deepEqual([each.certificate, each.error, each.finalizedAt], [null, null, null]);
        }
        assert.equal(
          status === 'valid',
          each.certificate !== null && !each.undelivered && !each.withdrawn && each.error === null,
        );
        if (each.error !== null) assert.equal(status, 'invalid');
      }),
    );
  });

  test('does not come back: with time, and with each thing that happens, it goes on or stays', () => {
    const later = { pending: 0, ready: 1, processing: 2, valid: 3, invalid: 3 } as const;
    fc.assert(
      fc.property(order, (before) => {
        const first = orderStatus(before, now);
        const open = first === 'ready' || first === 'processing';
        const happened = [
          { ...before, error: {} },
          // Nobody finalizes what is not ready, and nothing is issued for it.
          ...(open
            ? [
                { ...before, finalizedAt: now },
                { ...before, certificate: 'certificate' },
              ]
            : []),
          {
            ...before,
            authorizations: before.authorizations.map((each) => ({ ...each, status: 'invalid' as const })),
          },
        ];
        for (const after of [
          ...happened.map((each) => orderStatus(each, now)),
          orderStatus(before, now + 5),
        ]) {
          assert.ok(later[after] >= later[first], `${first} became ${after}`);
        }
      }),
    );
  });

  test('of one that nobody proved in time is invalid, of one that was proven expired', () => {
    assert.equal(authorizationStatus({ status: 'pending', expiresAt: now }, now), 'invalid');
    assert.equal(authorizationStatus({ status: 'valid', expiresAt: now }, now), 'expired');
    assert.equal(authorizationStatus({ status: 'valid', expiresAt: now + 1 }, now), 'valid');
  });

  test('only the challenge that was answered leaves pending', () => {
    const validatedAt = null;
    const proven = { status: 'valid', method: 'http-01', validatedAt: now } as const;
    assert.equal(challengeStatus({ status: 'pending', method: null, validatedAt }, 'http-01'), 'pending');
    assert.equal(
      challengeStatus({ status: 'pending', method: 'http-01', validatedAt }, 'http-01'),
      'processing',
    );
    assert.equal(challengeStatus(proven, 'dns-01'), 'pending');
    assert.equal(challengeStatus(proven, 'http-01'), 'valid');
  });

  test('a challenge that was proven stays valid when its authorization is deactivated', () => {
    const deactivated = { status: 'deactivated', method: 'http-01' } as const;
    assert.equal(challengeStatus({ ...deactivated, validatedAt: now }, 'http-01'), 'valid');
    assert.equal(challengeStatus({ ...deactivated, validatedAt: null }, 'http-01'), 'processing');
  });
});
