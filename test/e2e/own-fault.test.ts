import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { acmeAuthority } from '../harness/acme-authority.ts';
import { typeOf } from '../harness/acme-answers.ts';
import { entryOf } from '../harness/expect.ts';

/** A row that no program of ours has written, and that none of ours foresaw: whatever it breaks, its requests have answers and entries. */
test('a fault of ours is answered, and in the log', async (t) => {
  const authority = await acmeAuthority(t);
  const client = await authority.registered();
  const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'));
  database.exec(`update acme_account set jwk = '{'`);
  database.close();
  const answer = await client.post(client.kid!, null);
  assert.equal(answer.status, 503);
  assert.equal(typeOf(answer.body), 'serverInternal');
  const entry = await entryOf(authority, answer);
  assert.equal(entry.outcome, 'failed');
  assert.equal(entry.error!.code, 'internal');
  assert.equal(authority.faults.length, 1);
});
