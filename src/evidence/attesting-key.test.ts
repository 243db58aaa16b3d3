import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { suite, test } from 'node:test';
import { androidEvidence, keys as androidKeys } from './android/android.fixture.ts';
import { appleEvidence } from './apple/apple.fixture.ts';
import { attestingKeyOf } from './attesting-key.ts';
import { attestationObject, type KeyPair, nonce } from './evidence.fixture.ts';
import { examine } from './examine.ts';
import {
  keys as stepKeys,
  managedDevice,
  properties,
  signature,
  stepChain,
  stepEvidence,
} from './step/step.fixture.ts';
import { defaultKeys, makeObject } from './tpm/statement.fixture.ts';

const digestOf = ({ spki }: Pick<KeyPair, 'spki'>) => hash('sha256', spki);

suite('the key that attests', () => {
  test('of a TPM is its attestation key', () => {
    const evidence = { envelope: 'attestation-object', bytes: makeObject() } as const;
    assert.equal(attestingKeyOf(examine(evidence, null)), digestOf(defaultKeys.attestation));
  });

  test('of Android is the one above the attested key, remotely provisioned or of the factory', () => {
    for (const provisioning of ['remote', 'factory'] as const) {
      const seen = examine(androidEvidence({ provisioning }), nonce);
      assert.equal(attestingKeyOf(seen), digestOf(androidKeys.attestation));
    }
  });

  test('of a YubiKey is that of its own certificate, wherever that stands', () => {
    const found = digestOf(stepKeys.f9);
    assert.equal(attestingKeyOf(examine(stepEvidence(), nonce)), found);
    const [leaf, f9] = stepChain();
    // One of the same name and another key, to be counted instead.
    const [, other] = stepChain({ certificates: { f9: { key: stepKeys.leaf } } });
    for (const x5c of [
      [leaf, other, f9],
      [leaf, f9, other],
    ]) {
      const bytes = attestationObject('step', { ...signature(), x5c });
      assert.equal(attestingKeyOf(examine({ envelope: 'attestation-object', bytes }, nonce)), found);
    }
  });

  test('that was not sent is not told', () => {
    const bytes = attestationObject('step', { ...signature(), x5c: stepChain().slice(0, 1) });
    assert.equal(attestingKeyOf(examine({ envelope: 'attestation-object', bytes }, nonce)), null);
  });

  test('is none of the device where its maker or an authority attests', () => {
    assert.equal(attestingKeyOf(examine(appleEvidence(), nonce)), null);
    const none = Object.fromEntries(Object.keys(properties).map((oid) => [oid, null]));
    const managed = { ...none, [managedDevice]: Buffer.from('30050c03646576', 'hex') };
    assert.equal(attestingKeyOf(examine(stepEvidence({ properties: managed }), nonce)), null);
  });

  test('is not told of what could not be examined', () => {
    const evidence = { envelope: 'attestation-object', bytes: new Uint8Array(1) } as const;
    assert.equal(attestingKeyOf(examine(evidence, null)), null);
  });
});
