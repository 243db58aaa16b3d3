import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digest } from '../identity.fixture.ts';
import { deriveLineage } from './lineage.ts';

const asked = { presented: digest('a1'), again: false };
const [b, c] = [digest('b1'), digest('c1')];

describe('the lineage of a certificate that is presented', () => {
  test('is uncontested where nothing came of it but for the key that is asked for', () => {
    assert.deepEqual(deriveLineage({ others: [], contested: null }, asked).facts, { uncontested: true });
  });

  test('is contested where it was renewed to another key, and the words name what came of that', () => {
    const { facts, reasons } = deriveLineage({ others: [b, c], contested: null }, asked);
    assert.deepEqual(facts, { uncontested: false });
    assert.match(
      reasons['renewal-lineage'] ?? '',
      new RegExp(`^certificate ${asked.presented} .*: ${b}, ${c}$`),
    );
  });

  test('is contested where one above it was presented for two keys, and the words name both', () => {
    const above = { presented: b, others: [c] };
    const { facts, reasons } = deriveLineage({ others: [], contested: above }, asked);
    assert.deepEqual(facts, { uncontested: false });
    assert.match(reasons['renewal-lineage'] ?? '', new RegExp(`^certificate ${b}, .*: ${c}$`));
    const alone = deriveLineage({ others: [], contested: { presented: b, others: [] } }, asked);
    assert.match(alone.reasons['renewal-lineage'] ?? '', /current: none$/);
  });

  test('is no matter of the same request again, nor in an entry of before it was looked at', () => {
    const again = { ...asked, again: true };
    const both = { others: [b], contested: { presented: b, others: [c] } };
    assert.deepEqual(deriveLineage(both, again).facts, { uncontested: true });
    assert.deepEqual(deriveLineage(null, asked).facts, { uncontested: true });
  });
});
