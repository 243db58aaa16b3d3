import assert from 'node:assert/strict';
import type { RequestEntry } from '#enrollment';
import type { AcmeAnswer, Json } from './acme-client.ts';
import type { TestAuthority } from './authority.ts';
import { entryOf } from './expect.ts';

/** Without its prefix. */
export function typeOf({ body }: { readonly body: Json }): string {
  return String(body['type']).replace('urn:ietf:params:acme:error:', '');
}

/** Refused by the rules of the protocol: what the client is told, and the words that the log has for it. */
export async function assertRejected(
  authority: TestAuthority,
  answer: AcmeAnswer,
  type: string,
  words: RegExp,
): Promise<RequestEntry> {
  assert.equal(typeOf(answer), type, answer.text);
  const entry = await entryOf(authority, answer);
  assert.equal(entry.outcome, 'rejected', JSON.stringify(entry));
  assert.match(entry.error!.message, words);
  return entry;
}

/** Refused by exactly these controls in the log: nothing else was wrong. */
export async function assertObjected(
  authority: TestAuthority,
  answer: AcmeAnswer,
  type: string,
  controls: readonly string[],
): Promise<RequestEntry> {
  assert.equal(typeOf(answer), type, answer.text);
  const entry = await entryOf(authority, answer);
  assert.equal(entry.outcome, 'refused', JSON.stringify(entry.error));
  assert.deepEqual(entry.verdict.objections.map(({ control }) => control).sort(), [...controls].sort());
  return entry;
}
