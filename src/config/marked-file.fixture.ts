import assert from 'node:assert/strict';
import { isSallyportError } from '#errors';
import { initialConfiguration } from './initial.ts';
import { parseConfiguration } from './load.ts';
import type { Environment } from './secret.ts';

// For tests only: a good file in which one text is replaced. § marks where the problem must be found.

const file = '/etc/sallyport/sallyport.yaml';

/** Replaces the first `from` in a fresh configuration. */
export function edited(from: string, to: string, text = initialConfiguration({ name: 'Example' })): string {
  assert.ok(text.includes(from), `the initial configuration has no ${from}`);
  return text.replace(from, () => to);
}

/** The problems as `line:column key: message`. */
export function problemsOf(text: string, env?: Environment): string[] {
  try {
    parseConfiguration(Buffer.from(text), file, env);
    return [];
  } catch (error) {
    assert.ok(isSallyportError(error, 'config'), String(error));
    return error.message.split('\n').map((line) => line.replace(`${file}:`, ''));
  }
}

/** Asserts that the file has this one problem, exactly at the mark. */
export function assertRefused(text: string, key: string, message: RegExp, env?: Environment): void {
  const lines = text.slice(0, text.indexOf('§')).split('\n');
  const place = `${lines.length}:${(lines.at(-1) ?? '').length + 1} ${key}: `;
  const problems = problemsOf(text.replace('§', ''), env);
  assert.deepEqual(
    problems.map((problem) => problem.slice(0, place.length)),
    [place],
    problems.join('\n'),
  );
  assert.match(problems[0]?.slice(place.length) ?? '', message);
}
