import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSallyportError } from '#errors';
import { nonceMediaType, nonceRequest } from './nonce.ts';

const lengthFor = (asked: object) => nonceRequest(Buffer.from(JSON.stringify(asked)), nonceMediaType).length;

/** draft-ietf-lamps-attestation-freshness section 5. */
describe('the length of a nonce', () => {
  test('is 32 octets where nobody asks for another', () => {
    assert.equal(nonceRequest(null, '').length, 32);
    assert.equal(lengthFor({}), 32);
  });

  test('is what is asked for, and never so short that it could be guessed', () => {
    for (const [len, length] of [
      [8, 16],
      [15, 16],
      [16, 16],
      [17, 17],
      [64, 64],
    ] as const) {
      assert.equal(lengthFor({ len }), length);
    }
  });

  test('is a whole number from 8 to 64', () => {
    for (const len of [7, 65, 16.5, -16, '16', null]) {
      assert.throws(
        () => lengthFor({ len }),
        (error) => isSallyportError(error, 'malformed') && /len must be a whole number/.test(error.message),
      );
    }
  });
});
