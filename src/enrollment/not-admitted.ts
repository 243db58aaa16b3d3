import type { AuthorityEntry } from './entry.ts';
import type { SourceObservation } from './observations.ts';

/** A source could not be counted, and was sent away for that. From where it came is said on standard error alone: nothing here was judged by it. */
export function notAdmitted(id: string, time: number, { listener }: SourceObservation): AuthorityEntry {
  return { type: 'authority', version: 2, id, time, event: 'admission.failed', detail: { listener } };
}
