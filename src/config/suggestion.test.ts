import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closestWord, didYouMean } from './suggestion.ts';

const known = ['sources', 'requestTimeout', 'maximumBodyBytes', 'tls', 'env'];

test('the word that was probably meant is found', () => {
  const meant = ['sorces', 'Sources', 'request_timeout', 'requsetTimeout', 'maxBodyBytes', 'tsl', 'evn'];
  assert.deepEqual(
    meant.map((word) => closestWord(word, known)),
    ['sources', 'sources', 'requestTimeout', 'requestTimeout', 'maximumBodyBytes', 'tls', 'env'],
  );
});

test('nothing is suggested for what resembles nothing', () => {
  assert.deepEqual(
    ['port', 'xyz', '', 'x'.repeat(5000)].map((word) => closestWord(word, known)),
    [null, null, null, null],
  );
  assert.deepEqual(
    ['port', 'sorces'].map((word) => didYouMean(word, known)),
    ['', '; did you mean "sources"?'],
  );
});

test('a known word is closest to itself', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), (words) => {
      for (const word of words) assert.equal(closestWord(word, words), word);
    }),
  );
});
