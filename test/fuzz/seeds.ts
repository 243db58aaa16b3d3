import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSeed, type Seed } from './seed-text.ts';

const fixtures = path.resolve(import.meta.dirname, '../fixtures/est');

/** What real clients send: test/fixtures/est. */
export function loadSeeds(): Seed[] {
  return readdirSync(fixtures)
    .filter((file) => file.endsWith('.http'))
    .toSorted()
    .map((file) => parseSeed(path.basename(file, '.http'), readFileSync(path.join(fixtures, file), 'utf8')));
}
