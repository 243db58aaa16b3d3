import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { anchorsOf, problemsOf } from './conformance-page.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, 'docs/conformance');

function sourceOf(file: string): string | null {
  const absolute = path.join(root, file);
  return existsSync(absolute) ? readFileSync(absolute, 'utf8') : null;
}

describe('the pages of docs/conformance', () => {
  const names = readdirSync(folder).filter((name) => /^(?:rfc\d+|tlog-\w+)\.md$/.test(name));

  for (const name of names) {
    test(`${name} cites tests that are there, and leaves no requirement without`, () => {
      const text = readFileSync(path.join(folder, name), 'utf8');
      assert.deepEqual(problemsOf({ name, text }, sourceOf), []);
    });
  }

  test('link to headings of each other that are there', () => {
    for (const name of names) {
      const text = readFileSync(path.join(folder, name), 'utf8');
      for (const [, page, anchor] of text.matchAll(/\]\(((?:rfc\d+|tlog-\w+)\.md)#([^)]+)\)/g)) {
        const target = readFileSync(path.join(folder, page!), 'utf8');
        assert.ok(anchorsOf(target).has(anchor!), `${name}: ${page} has no #${anchor}`);
      }
    }
  });

  test('are all listed in its README.md', () => {
    const index = readFileSync(path.join(folder, 'README.md'), 'utf8');
    const listed = [...index.matchAll(/\]\(((?:rfc\d+|tlog-\w+)\.md)\)/g)].map(([, name]) => name!);
    assert.deepEqual([...new Set(listed)].toSorted(), names.toSorted());
  });
});

describe('a page of conformance is found wanting for', () => {
  const sources: Record<string, string> = { 'test/x.test.ts': "test('a device is served', () => {" };
  const page = (row: string, more = '') => ({
    name: 'rfc1.md',
    text: `# RFC 1\n\n## Requirements\n\n| § | asks | here | proof |\n|---|---|---|---|\n${row}\n\n## Deviations\n\n### No session resumption\n\nFor a reason.${more}\n`,
  });
  const problems = (row: string, more?: string) =>
    problemsOf(page(row, more), (file) => sources[file] ?? null).map((problem) =>
      problem.replace(/^rfc1\.md: /, ''),
    );
  const cited = '`test/x.test.ts: a device is served`';

  test('nothing, where each row cites a test, is not ours or links to a deviation', () => {
    for (const row of [
      `| 1 | MUST serve | does | ${cited} |`,
      '| 1 | client MUST ask | not ours | |',
      '| 1 | SHOULD resume | [no](#no-session-resumption) | |',
    ]) {
      assert.deepEqual(problems(row), [], row);
    }
  });

  test('a row without a citation', () => {
    assert.match(problems('| 1 | MUST serve | does | believe us |')[0]!, /cites no test/);
    assert.match(problems('| 1 | MUST serve | not ours, mostly | |')[0]!, /cites no test/);
  });

  test('a link to no deviation', () => {
    assert.match(problems('| 1 | MUST serve | [no](#because) | |')[0]!, /no deviation is called #because/);
  });

  test('a file that is not there', () => {
    assert.deepEqual(problems('| 1 | MUST | does | `test/y.test.ts: a device is served` |'), [
      'there is no test/y.test.ts',
    ]);
  });

  test('a title that is not in the file, wherever the page cites it', () => {
    const wrong = '`test/x.test.ts: a device is refused`';
    const found = ['test/x.test.ts has no "a device is refused"'];
    assert.deepEqual(problems(`| 1 | MUST | does | ${cited}; ${wrong} |`), found);
    assert.deepEqual(problems(`| 1 | MUST | does | ${cited} |`, ` Proof: ${wrong}.`), found);
  });

  test('a citation of a file without a title', () => {
    assert.match(problems('| 1 | MUST | does | `test/x.test.ts` |')[0]!, /is not `file: title`/);
  });

  test('a cell too many, by which the proof would be elsewhere', () => {
    assert.match(problems(`| 1 | MUST a|b | does | ${cited} |`)[0]!, /has 5 cells/);
  });

  test('no requirements, or no heading', () => {
    assert.deepEqual(problems(''), ['no requirement']);
    assert.equal(problemsOf({ name: 'rfc1.md', text: '# RFC 1\n' }, () => null).length, 1);
  });
});
