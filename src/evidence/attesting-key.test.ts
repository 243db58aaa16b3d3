import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { suite, test } from 'node:test';
import { androidEvidence, keys as androidKeys } from './android/android.fixture.ts';
import { appleEvidence } from './apple/apple.fixture.ts';
import { attestingKeyOf } from './attesting-key.ts';
import { appraise } from './appraise.ts';
import {
  anchorsOf,
  attestationObject,
  base64,
  ca,
  issue,
  type KeyPair,
  keyPair,
  nonce,
  now,
} from './evidence.fixture.ts';
import type { Examination } from './examination.ts';
import { examine } from './examine.ts';
import {
  keys as stepKeys,
  managedDevice,
  names,
  properties,
  signature,
  stepChain,
  stepEvidence,
  stepValues,
} from './step/step.fixture.ts';
import { defaultKeys, makeObject } from './tpm/statement.fixture.ts';
import { twinKey } from './twin-key.fixture.ts';

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

  test('is not told where another one fits the same signature, and its evidence is not believed by that', () => {
    const f9 = keyPair();
    const [leaf, own, root] = stepChain({ certificates: { leaf: { by: f9 }, f9: { key: f9 } } });
    const spki = twinKey(leaf!, f9.spki);
    const decoy = issue({
      subject: names.f9,
      issuer: names.f9,
      key: { ...f9, spki },
      by: f9,
      serialNumber: '09',
      notBefore: 0,
      notAfter: now * 2,
      extensions: [ca],
    });
    const seen = (...x5c: readonly Uint8Array[]) => {
      const bytes = attestationObject('step', { ...signature(), x5c });
      return examine({ envelope: 'attestation-object', bytes }, nonce);
    };
    const objectionsTo = (examination: Examination) => {
      const anchors = { ...anchorsOf('step', [root!]), intermediates: [base64(own!)] };
      const { objections } = appraise(examination, { ...stepValues(), anchors: [anchors] }, null, now);
      return objections.map(({ check }) => check);
    };
    assert.equal(attestingKeyOf(seen(leaf!, decoy, own!)), null);
    assert.deepEqual(objectionsTo(seen(leaf!, own!)), []);
    // The device's own stands among the configured ones alone: the path goes through it, and the twin would be counted.
    const alone = seen(leaf!, decoy);
    assert.equal(attestingKeyOf(alone), hash('sha256', spki));
    assert.deepEqual(objectionsTo(alone), ['attesting-key']);
  });

  test('of an endorsement key is that of the TPM, whatever it is certified under', () => {
    const key = 'ab'.repeat(32);
    const statement = { identities: { endorsementKey: key }, claims: { format: 'endorsement' } };
    const examination = { statement, certificates: [] } as unknown as Examination;
    assert.equal(attestingKeyOf(examination), key);
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
