/**
 * No capture of Apple's Managed Device Attestation is public, so every chain here is made up: after Apple's documentation of its properties, and the
 * few octets of them that were published. What a real device sends was not seen.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { suite, test } from 'node:test';
import { attestationObject, nonce } from '../evidence.fixture.ts';
import type { Nonce } from '../evidence.ts';
import { examine } from '../examine.ts';
import { type Properties, appleChain, appleEvidence, appleExtensions, keys } from './apple.fixture.ts';
import type { AppleClaims } from './claims.ts';

function examined(changed: Properties, given: Nonce | null = nonce) {
  return examine(appleEvidence(changed), given);
}

function claimsOf(changed: Properties): AppleClaims {
  const claims = examined(changed).statement?.claims;
  assert.equal(claims?.format, 'apple');
  return claims;
}

test('apple: what is seen', () => {
  const { fault, statement } = examined({});
  assert.equal(fault, null);
  assert.deepEqual(statement, {
    spki: hash('sha256', keys.leaf.spki),
    fresh: true,
    identities: { serialNumber: 'C02XG2JHJG5H', udid: '00008103-000A1D2E0E90001E' },
    claims: {
      format: 'apple',
      osVersion: '26.1',
      sepOsVersion: '26.0.1',
      llbVersion: '18000.40.12',
      softwareUpdateDeviceId: 'J413AP',
      systemIntegrityProtection: 'enabled',
      secureBoot: 'full',
      thirdPartyKernelExtensions: 'forbidden',
    },
  });
});

suite('apple: the freshness code', () => {
  for (const [what, value] of Object.entries({
    'is of another token': hash('sha256', 'another', 'buffer'),
    'is of the key authorization': hash('sha256', nonce.toBeSigned, 'buffer'),
    'is the token itself': Buffer.alloc(32, nonce.token),
  })) {
    test(`${what}: not fresh`, () => {
      const { fault, statement } = examined({ '11.1': value });
      assert.deepEqual([fault, statement?.fresh], [null, false]);
    });
  }
  for (const [what, value] of Object.entries({
    'is missing': null,
    'is short': hash('sha256', nonce.token, 'buffer').subarray(1),
    'is in an OCTET STRING': Buffer.from([4, 32, ...hash('sha256', nonce.token, 'buffer')]),
  })) {
    test(`${what}: apple-freshness`, () => {
      const { fault, statement } = examined({ '11.1': value });
      assert.equal(fault?.check, 'apple-freshness');
      assert.equal(statement, null);
    });
  }
  test('without a nonce it has to be there, and nothing is said of it', () => {
    assert.equal(examined({ '11.1': Buffer.alloc(32) }, null).statement?.fresh, null);
    for (const absent of [null, Buffer.alloc(31), Buffer.alloc(33)]) {
      assert.equal(examined({ '11.1': absent }, null).fault?.check, 'apple-freshness');
    }
  });
  test('twice: malformed', () => {
    const [leaf, sub] = appleChain(
      {},
      {
        leaf: {
          extensions: appleExtensions().flatMap((each) =>
            each.oid.endsWith('.8.11.1') ? [each, each] : [each],
          ),
        },
      },
    );
    const bytes = attestationObject('apple', { x5c: [leaf, sub] });
    const { fault } = examine({ envelope: 'attestation-object', bytes }, nonce);
    assert.equal(fault?.check, 'malformed');
    assert.match(fault.detail, / twice$/);
  });
});

test('apple: a statement with another member is malformed, and `alg` means nothing', () => {
  const x5c = appleChain().slice(0, -1);
  for (const [members, expected] of [
    [{ sig: new Uint8Array() }, 'malformed'],
    [{ alg: -7 }, undefined],
  ] as const) {
    const bytes = attestationObject('apple', { x5c, ...members });
    assert.equal(examine({ envelope: 'attestation-object', bytes }, nonce).fault?.check, expected);
  }
});

test('apple: under User Enrollment no device is named', () => {
  assert.deepEqual(examined({ '9.1': null, '9.2': null }).statement?.identities, {});
});

test('apple: text that is none is malformed', () => {
  for (const value of ['', 'C02\n', Uint8Array.of(0xff), 'x'.repeat(257)]) {
    assert.match(examined({ '9.1': value }).fault?.check ?? '', /^(?:malformed|too-large)$/);
  }
});

suite('apple: properties in the encodings that were seen', () => {
  const integer = (n: number): Uint8Array => Uint8Array.of(2, 1, n);
  const cases: readonly (readonly [string, keyof AppleClaims, Uint8Array | string, string])[] = [
    ['13.1', 'systemIntegrityProtection', '0', 'enabled'],
    ['13.1', 'systemIntegrityProtection', integer(0), 'enabled'],
    ['13.1', 'systemIntegrityProtection', '1', 'disabled'],
    ['13.1', 'systemIntegrityProtection', integer(1), 'disabled'],
    ['13.1', 'systemIntegrityProtection', '2', 'unknown'],
    ['13.1', 'systemIntegrityProtection', 'enabled', 'unknown'],
    ['13.1', 'systemIntegrityProtection', '', 'unknown'],
    ['13.2', 'secureBoot', 'Full Security', 'full'],
    ['13.2', 'secureBoot', integer(0), 'full'],
    ['13.2', 'secureBoot', 'Reduced Security', 'reduced'],
    ['13.2', 'secureBoot', 'Permissive Security', 'permissive'],
    ['13.2', 'secureBoot', integer(1), 'unknown'],
    ['13.2', 'secureBoot', 'full security', 'unknown'],
    ['13.3', 'thirdPartyKernelExtensions', integer(0), 'forbidden'],
    ['13.3', 'thirdPartyKernelExtensions', '0', 'forbidden'],
    ['13.3', 'thirdPartyKernelExtensions', integer(5), 'allowed'],
    ['13.3', 'thirdPartyKernelExtensions', '1', 'allowed'],
    ['13.3', 'thirdPartyKernelExtensions', integer(0x80), 'unknown'],
    ['13.3', 'thirdPartyKernelExtensions', Uint8Array.of(2, 2, 0, 0), 'unknown'],
    ['13.3', 'thirdPartyKernelExtensions', Uint8Array.of(2, 1, 0, 0), 'unknown'],
    ['13.3', 'thirdPartyKernelExtensions', Uint8Array.of(2, 2, 0), 'unknown'],
    ['13.3', 'thirdPartyKernelExtensions', Uint8Array.of(1, 1, 0), 'unknown'],
    ['13.3', 'thirdPartyKernelExtensions', '/', 'unknown'],
    ['13.3', 'thirdPartyKernelExtensions', ':', 'unknown'],
  ];
  for (const [arcs, name, value, expected] of cases) {
    test(`${name} ${Buffer.from(value).toString('hex')}: ${expected}`, () => {
      assert.equal(claimsOf({ [arcs]: value })[name], expected);
    });
  }
  test('one that Apple has not confirmed is none', () => {
    const absent = claimsOf({
      '9.4': null,
      '10.1': null,
      '10.2': null,
      '10.3': null,
      '13.1': null,
      '13.2': null,
      '13.3': null,
    });
    const { format: _, ...others } = absent;
    for (const [name, value] of Object.entries(others)) assert.equal(value, null, name);
  });
});
