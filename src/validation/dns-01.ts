import { createHash } from 'node:crypto';
import type { Challenge } from './challenge.ts';
import { type Failure, fails, failsForNow, isFailure } from './outcome.ts';
import type { Place } from './place.ts';

const maximumRecords = 64;

/** RFC 8555 section 8.4. Null: it holds. */
export async function dns01(
  { identifier, keyAuthorization }: Challenge,
  { dns }: Place,
): Promise<Failure | null> {
  const name = `_acme-challenge.${identifier.value}`;
  const records = await dns.txt(name, name);
  if (isFailure(records)) return records;
  if (records.length > maximumRecords) {
    return fails('incorrectResponse', `there are more than ${maximumRecords} TXT records at ${name}`);
  }
  const digest = createHash('sha256').update(keyAuthorization).digest('base64url');
  return records.includes(digest)
    ? null
    : // A resolver may still have what was there before: a name and its wildcard are proven one after the other, at one place.
      failsForNow('incorrectResponse', `no TXT record at ${name} is the digest of the key authorization`);
}
