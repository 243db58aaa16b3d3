import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Entry } from './entry.ts';
import { newEntry, readEntry } from './personal-fields.ts';

test('whose an ACME account is, how to reach them and what it is about stand beside the log, and not in it', () => {
  const detail = {
    account: 'an account',
    device: 'ida-1',
    contact: ['mailto:ida@example.org'],
    identifiers: [{ type: 'dns', value: 'ida.example.org' }],
    identifier: { type: 'dns', value: 'ida.example.org' },
  };
  const entry = { type: 'request', version: 2, id: 'R-1', time: 0, detail } as unknown as Entry;
  const { bytes, blobs } = newEntry(entry, randomBytes);
  assert.match(Buffer.from(bytes).toString(), /an account/);
  assert.doesNotMatch(Buffer.from(bytes).toString(), /ida/);
  assert.deepEqual(readEntry(bytes, blobs).entry['detail'], detail);
});

test('the key that attests stands beside the log wherever it is named: of a TPM it is what the inventory has of the device', () => {
  const key = 'ab'.repeat(32);
  const evidence = {
    sha256: 'cd'.repeat(32),
    said: { format: 'endorsement', versions: {}, attestingKey: key },
  };
  const request = {
    type: 'request',
    observations: {
      approval: { evidence },
      evidence: { attestingKey: { spki: key, otherDevices: 0, known: false } },
    },
  };
  const approved = { type: 'act', detail: { evidence } };
  const alarm = { type: 'event', detail: { attestationKey: key, otherDevices: 3 } };
  for (const each of [request, approved, alarm]) {
    const entry = { version: 2, id: 'R-1', time: 0, ...each } as unknown as Entry;
    const { bytes, blobs } = newEntry(entry, randomBytes);
    assert.doesNotMatch(Buffer.from(bytes).toString(), new RegExp(key));
    assert.deepEqual(readEntry(bytes, blobs).entry, entry);
  }
});
