import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEntry, type NewEntry } from '#audit';
import { Enrollment } from '#enrollment';
import { SallyportError } from '#errors';
import type { EnrollmentPorts } from './enrollment-ports.ts';

test('a source that cannot be counted is sent away, and the log says under which code', async () => {
  const recorded: Record<string, unknown>[] = [];
  const faults: string[] = [];
  const ports = {
    authority: () => ({ references: { limits: { source: {} } } }),
    clock: { now: () => 7 },
    random: (n: number) => new Uint8Array(n),
    report: ({ id }: { id: string }) => void faults.push(id),
    store: {
      admit: () => Promise.reject(new SallyportError('store', 'another node has the source')),
      record: async ({ bytes }: NewEntry) => void recorded.push(decodeEntry(bytes)),
    },
  } as unknown as EnrollmentPorts;
  const source = { listener: 'enroll', address: '192.0.2.1' } as Parameters<Enrollment['admit']>[0];
  const answer = await new Enrollment(ports).admit(source);
  const { id } = answer;
  assert.deepEqual(answer, { outcome: 'failed', id, retryAfterSeconds: 5 });
  assert.deepEqual(faults, [id]);
  assert.deepEqual(recorded, [
    { type: 'authority', version: 2, id, time: 7, event: 'admission.failed', detail: { listener: 'enroll' } },
  ]);
});
