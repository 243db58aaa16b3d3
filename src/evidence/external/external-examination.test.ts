import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { appraise } from '../appraise.ts';
import { attestationObject, nonce, now } from '../evidence.fixture.ts';
import { examine, openEvidence } from '../examine.ts';
import { parseVerifierAnswer } from './answer.ts';
import { externalExamination, isUnanswered } from './external-examination.ts';
import { answerOf, attestedKey, externalEvidence, externalValues, goodAnswer } from './external.fixture.ts';

const question = { verifier: 'knox', type: 'samsung-knox', nonce: nonce.toBeSigned };
const examination = (changed: object = {}, asked = question) =>
  externalExamination('cd'.repeat(32), asked, parseVerifierAnswer(answerOf(changed)));
const checksOf = (changed: object, values = externalValues()) =>
  appraise(examination(changed), values, null, now).objections.map(({ check }) => check);

suite('evidence that is read elsewhere', () => {
  test('is known by its name, and is not read here', () => {
    const evidence = externalEvidence();
    const opened = openEvidence(evidence);
    assert.deepEqual(opened.external, { type: 'samsung-knox', bytes: evidence.bytes });
    const { format, fault, statement } = opened.examined(nonce);
    assert.deepEqual([format, fault?.check, statement], ['external', 'format', null]);
    assert.match(fault!.detail, /no verifier was asked about evidence of format samsung-knox/);
  });

  test('is none of a name that we read, that is no name, or that is too long', () => {
    for (const fmt of ['tpm', 'step', '', 'a b', 'a"b', 'a\\b', 'x'.repeat(33)]) {
      assert.equal(openEvidence(externalEvidence(fmt)).external, null, fmt);
    }
    assert.equal(examine(externalEvidence('a b'), nonce).format, null);
    const beside = attestationObject('samsung-knox', { blob: null });
    const bytes = new Uint8Array([...beside, 0]);
    assert.equal(openEvidence({ envelope: 'attestation-object', bytes }).external, null);
  });

  test('is what its verifier says, with who said it', () => {
    const { statement, certificates, fault, format } = examination();
    assert.deepEqual([format, fault, certificates], ['external', null, []]);
    assert.deepEqual([statement!.spki, statement!.fresh], [attestedKey, true]);
    assert.deepEqual(statement!.identities, goodAnswer.identities);
    assert.deepEqual(statement!.claims, {
      format: 'external',
      verifier: 'knox',
      type: 'samsung-knox',
      level: 'tee',
      code: 'knox-v3',
      answer: createHash('sha256').update(answerOf()).digest('hex'),
    });
    assert.deepEqual(checksOf({}), []);
  });

  test('is fresh by the nonce that was asked for, and by the word of who verified it', () => {
    assert.equal(examination({ fresh: false }).statement!.fresh, false);
    for (const other of [nonce.token, new Uint8Array(32), nonce.toBeSigned.subarray(1)]) {
      const answered = { nonce: Buffer.from(other).toString('base64') };
      assert.equal(examination(answered).statement!.fresh, false);
    }
  });

  test('proves nothing where its verifier refuses, or has not answered', () => {
    const refused = examination({ decision: 'refused', code: 'revoked' });
    assert.equal(refused.statement, null);
    assert.deepEqual([refused.fault!.check, isUnanswered(refused)], ['verifier-refused', false]);
    assert.match(refused.fault!.detail, /^verifier knox, of samsung-knox: revoked \(answer [0-9a-f]{64}\)$/);
    const silent = externalExamination('cd'.repeat(32), question, {
      decision: 'unavailable',
      code: 'no-answer',
    });
    assert.deepEqual([silent.statement, isUnanswered(silent)], [null, true]);
    assert.equal(silent.fault!.detail, 'verifier knox, of samsung-knox: no-answer');
    for (const each of [refused, silent]) {
      assert.notDeepEqual(appraise(each, externalValues(), null, now).objections, []);
    }
  });

  test('is objected to for the check that has refused it, were there a statement all the same', () => {
    const fault = { check: 'verifier-refused', detail: '' };
    const { objections } = appraise({ ...examination(), fault }, externalValues(), null, now);
    assert.deepEqual(objections, [fault]);
  });

  test('counts where the class believes the verifier', () => {
    assert.deepEqual(checksOf({}, externalValues({ external: { verifiers: ['chrome'] } })), ['verifier']);
    const { external: _, ...none } = externalValues();
    assert.deepEqual(checksOf({}, none), ['reference-values']);
  });

  test('is of a level that the class takes, and of software where that is named', () => {
    assert.deepEqual(checksOf({}, externalValues({ levels: ['strongbox'] })), ['assurance-level']);
    assert.deepEqual(checksOf({ level: 'software' }), ['assurance-level']);
    assert.deepEqual(checksOf({ level: 'software' }, externalValues({ levels: ['software'] })), []);
    assert.deepEqual(checksOf({ level: 'strongbox' }, externalValues({ levels: ['strongbox'] })), []);
  });
});
