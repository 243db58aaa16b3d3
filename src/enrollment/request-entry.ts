import type { Facts, Verdict } from '#policy';
import type { Authority } from './authority.ts';
import type { Outcome, RequestEntry } from './entry.ts';
import type { Observations } from './observations.ts';
import type { Admission } from './request.ts';

/** What had been seen when a request was let in or not. */
export function atAdmission(admission: Admission): Observations {
  return {
    source: admission.source,
    rate: { source: { tat: admission.sourceTat }, device: null, template: null },
    request: null,
    secret: null,
    presenter: null,
    device: null,
    evidence: null,
    key: null,
    approval: null,
    denials: [],
    issued: null,
  };
}

export function entryOf(
  admission: Admission,
  observations: Observations,
  facts: Facts,
  verdict: Verdict,
  authority: Authority,
  time: number,
  outcome: Outcome,
): RequestEntry {
  return {
    type: 'request',
    version: 2,
    id: admission.id,
    time,
    action: facts.action,
    observations,
    references: authority.referencesDigest,
    policies: authority.bundle.digest,
    facts,
    verdict,
    outcome,
    error: null,
    certificationRequest: null,
    certificate: null,
  };
}
