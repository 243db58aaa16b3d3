import assert from 'node:assert/strict';
import type { RequestEntry } from '#enrollment';
import type { EstAnswer } from './est-client.ts';
import type { TestAuthority } from './authority.ts';

/** The support code that an error names. */
export function supportCodeOf(answer: Pick<EstAnswer, 'text'>): string {
  const code = /R(?:-[0-9A-Z]{4}){4}/.exec(answer.text)?.[0];
  assert.ok(code, `no support code in: ${answer.text}`);
  return code;
}

/** The entry of a request that was refused, held or malformed. */
export async function entryOf(
  authority: TestAuthority,
  answer: Pick<EstAnswer, 'text'>,
): Promise<RequestEntry> {
  const { entry } = await authority.admin.entry(supportCodeOf(answer));
  return entry as unknown as RequestEntry;
}

/** Refused, with this status, and by exactly these controls in the log: nothing else was wrong. */
export async function assertRefused(
  authority: TestAuthority,
  answer: EstAnswer,
  status: number,
  controls: readonly string[],
): Promise<RequestEntry> {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.certificates.length, 0);
  const entry = await entryOf(authority, answer);
  assert.equal(entry.outcome, 'refused');
  assert.deepEqual(entry.verdict.objections.map(({ control }) => control).sort(), [...controls].sort());
  return entry;
}
