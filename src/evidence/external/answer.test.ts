import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { nonce } from '../evidence.fixture.ts';
import { assuranceLevels } from '../evidence.ts';
import { parseVerifierAnswer } from './answer.ts';
import { answerOf, attestedKey, goodAnswer } from './external.fixture.ts';

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const said = (bytes: Uint8Array) => {
  const answer = parseVerifierAnswer(bytes);
  return `${answer.decision} ${answer.code}`;
};
const latin1 = (bytes: Uint8Array) => new Uint8Array(Buffer.from(Buffer.from(bytes).toString(), 'latin1'));
const without = (name: string) => answerOf({ [name]: undefined });

suite('the answer of a verifier outside', () => {
  test('that all is well is read with all that it says', () => {
    assert.deepEqual(parseVerifierAnswer(answerOf()), {
      decision: 'verified',
      code: 'knox-v3',
      sha256: createHash('sha256').update(answerOf()).digest('hex'),
      nonce: new Uint8Array(nonce.toBeSigned),
      fresh: true,
      spki: attestedKey,
      level: 'tee',
      identities: goodAnswer.identities,
    });
  });

  test('has its decision for a code where it gives none', () => {
    assert.equal(said(without('code')), 'verified verified');
    assert.equal(said(bytesOf('{"decision":"refused"}')), 'refused refused');
  });

  test('may name a device in any way that evidence does', () => {
    for (const identities of [
      {},
      { udid: 'x' },
      { permanentIdentifier: { value: 'x', assigner: '1.2.3' } },
      { hardwareModule: { type: '1.2.3', serialNumber: 'x' } },
    ]) {
      const answer = parseVerifierAnswer(answerOf({ identities }));
      assert.deepEqual(answer.decision === 'verified' && answer.identities, identities);
    }
    const unassigned = parseVerifierAnswer(answerOf({ identities: { permanentIdentifier: { value: 'x' } } }));
    assert.deepEqual(unassigned.decision === 'verified' && unassigned.identities.permanentIdentifier, {
      value: 'x',
      assigner: null,
    });
  });

  const refusals: readonly [what: string, bytes: Uint8Array, code: string][] = [
    ['a plain refusal', answerOf({ decision: 'refused', code: 'revoked' }), 'revoked'],
    ['another decision', answerOf({ decision: 'Verified' }), 'unreadable-decision'],
    ['a decision that is no text', answerOf({ decision: true }), 'unreadable-decision'],
    ['no decision', without('decision'), 'unreadable-decision'],
    ['a code of two lines', answerOf({ code: 'a\nb' }), 'unreadable-code'],
    ['a code that is null', answerOf({ code: null }), 'unreadable-code'],
    ['a refusal whose code cannot be read', answerOf({ decision: 'refused', code: 7 }), 'unreadable-code'],
    ['a member that is not known', answerOf({ also: 1 }), 'unreadable-answer'],
    ['no JSON', bytesOf('verified'), 'unreadable-answer'],
    ['a list', bytesOf('[]'), 'unreadable-answer'],
    ['null', bytesOf('null'), 'unreadable-answer'],
    ['no UTF-8', latin1(answerOf({ identities: { udid: 'é' } })), 'unreadable-answer'],
    ['no nonce', without('nonce'), 'unreadable-nonce'],
    ['an empty nonce', answerOf({ nonce: '' }), 'unreadable-nonce'],
    ['a nonce in base64url', answerOf({ nonce: '-_-_' }), 'unreadable-nonce'],
    ['a nonce in another spelling', answerOf({ nonce: 'QR==' }), 'unreadable-nonce'],
    ['a nonce that is too long', answerOf({ nonce: 'AAAA'.repeat(171) }), 'unreadable-nonce'],
    ['no word of freshness', without('fresh'), 'unreadable-fresh'],
    ['freshness in words', answerOf({ fresh: 'true' }), 'unreadable-fresh'],
    ['no key', without('spki'), 'unreadable-spki'],
    ['a key in capitals', answerOf({ spki: attestedKey.toUpperCase() }), 'unreadable-spki'],
    ['no level', without('level'), 'unreadable-level'],
    ['a level of no meaning', answerOf({ level: 'best' }), 'unreadable-level'],
    ['no identities', without('identities'), 'unreadable-identities'],
    [
      'an endorsement key',
      answerOf({ identities: { endorsementKey: attestedKey } }),
      'unreadable-identities',
    ],
    ['a name with a control character', answerOf({ identities: { udid: 'a\0' } }), 'unreadable-identities'],
    ['an empty name', answerOf({ identities: { serialNumber: '' } }), 'unreadable-identities'],
    ['a long name', answerOf({ identities: { udid: 'x'.repeat(257) } }), 'unreadable-identities'],
    ['a name that is a number', answerOf({ identities: { serialNumber: 7 } }), 'unreadable-identities'],
    ['many names', answerOf({ identities: { imei: Array(5).fill('x') } }), 'unreadable-identities'],
    ['a number among names', answerOf({ identities: { imei: ['x', 7] } }), 'unreadable-identities'],
    [
      'a control character among names',
      answerOf({ identities: { imei: ['x', 'a\0'] } }),
      'unreadable-identities',
    ],
    ['half of a surrogate pair', answerOf({ identities: { udid: '\ud800' } }), 'unreadable-identities'],
    ['a list of no names', answerOf({ identities: { imei: [] } }), 'unreadable-identities'],
    [
      'a hardware module without its type',
      answerOf({ identities: { hardwareModule: { serialNumber: 'x' } } }),
      'unreadable-identities',
    ],
    [
      'a hardware module of a type that is no OID',
      answerOf({ identities: { hardwareModule: { type: 'x', serialNumber: 'x' } } }),
      'unreadable-identities',
    ],
    [
      'a hardware module of an empty serial number',
      answerOf({ identities: { hardwareModule: { type: '1.2.3', serialNumber: '' } } }),
      'unreadable-identities',
    ],
    [
      'a permanent identifier that is a number',
      answerOf({ identities: { permanentIdentifier: { value: 7 } } }),
      'unreadable-identities',
    ],
    [
      'a permanent identifier of an assigner that is no OID',
      answerOf({ identities: { permanentIdentifier: { value: 'x', assigner: 'Samsung' } } }),
      'unreadable-identities',
    ],
  ];
  for (const [what, bytes, code] of refusals) {
    test(`${what}: refused`, () => assert.equal(said(bytes), `refused ${code}`));
  }

  test('__proto__ is a member like any other', () => {
    assert.equal(said(bytesOf('{"decision":"verified","__proto__":{}}')), 'refused unreadable-answer');
  });

  test('of any octets, and of any JSON, is a decision and never an error', () => {
    const isOne = (bytes: Uint8Array) =>
      ['verified', 'refused'].includes(parseVerifierAnswer(bytes).decision);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isOne));
    fc.assert(fc.property(fc.json(), (text) => parseVerifierAnswer(bytesOf(text)).decision === 'refused'));
    const name = fc.constantFrom(...Object.keys(goodAnswer));
    fc.assert(fc.property(name, fc.jsonValue(), (each, value) => isOne(answerOf({ [each]: value }))));
  });

  test('written and read again says the same', () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' });
    const answer = fc.record({
      nonce: fc.uint8Array({ minLength: 1, maxLength: 512 }),
      fresh: fc.boolean(),
      level: fc.constantFrom(...assuranceLevels),
      identities: fc.record(
        { serialNumber: text, udid: text, imei: fc.array(text, { minLength: 1, maxLength: 4 }) },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(answer, (given) => {
        const encoded = Buffer.from(given.nonce).toString('base64');
        const read = parseVerifierAnswer(answerOf({ ...given, nonce: encoded }));
        assert.equal(read.decision, 'verified');
        const { nonce: held, fresh, level, identities } = read;
        assert.deepEqual(
          [Buffer.from(held), fresh, level],
          [Buffer.from(given.nonce), given.fresh, given.level],
        );
        assert.deepEqual({ ...identities }, { ...given.identities });
      }),
    );
  });
});
