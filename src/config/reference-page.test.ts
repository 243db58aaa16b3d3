import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderReference } from './reference-page.ts';

test('docs/configuration.md is what the schema says; npm run docs writes it', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(page, renderReference());
});

test('every key has a meaning', () => {
  const rows = renderReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  assert.ok(rows.length > 80);
  for (const row of rows) assert.doesNotMatch(row, /\|\s*\|$/);
});
