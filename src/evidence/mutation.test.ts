import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { der } from '#x509';
import { androidEvidence, androidValues, signature } from './android/android.fixture.ts';
import { appleEvidence, appleValues } from './apple/apple.fixture.ts';
import { appraise } from './appraise.ts';
import { statementTypes } from './attestation-bundle.ts';
import { nonce, now } from './evidence.fixture.ts';
import type { Evidence } from './evidence.ts';
import { examine } from './examine.ts';
import { stepEvidence, stepValues } from './step/step.fixture.ts';

const formats = {
  'android-key': { evidence: androidEvidence({ statement: signature }), values: androidValues() },
  apple: { evidence: appleEvidence(), values: appleValues() },
  step: { evidence: stepEvidence(), values: stepValues() },
  'step, in the attribute of a request': { evidence: wrapped(stepEvidence().bytes), values: stepValues() },
};

/** As EST and SCEP have it. */
function wrapped(object: Uint8Array): Evidence {
  const statement = der.sequence(der.oid(statementTypes.attestationObject), der.octetString(object));
  return { envelope: 'attestation-bundle', bytes: der.sequence(der.sequence(statement)) };
}

/** Where octets may change it is where nothing is read, such as the root that Android sends and that only its name and key matter of. */
suite('each octet of valid evidence changed: none passes that says anything else', () => {
  for (const [format, { evidence, values }] of Object.entries(formats)) {
    test(format, () => {
      const { statement } = examine(evidence, nonce);
      assert.deepEqual(appraise(examine(evidence, nonce), values, null, now).objections, []);
      let passed = 0;
      for (let at = 0; at < evidence.bytes.length; at += 1) {
        for (const change of [0x01, 0x80, 0xff]) {
          const bytes = Uint8Array.from(evidence.bytes);
          bytes[at]! ^= change;
          const examination = examine({ ...evidence, bytes }, nonce);
          if (examination.statement?.fresh === false) continue;
          if (appraise(examination, values, null, now).objections.length > 0) continue;
          passed += 1;
          assert.deepEqual(examination.statement, statement, `octet ${at}`);
        }
      }
      // The root, its name and key apart, and no more.
      assert.ok(format === 'android-key' ? passed > 0 : passed === 0, `${passed} pass`);
    });
  }
});
