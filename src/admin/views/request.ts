import type { EvidenceSeen, RequestSummary } from '#enrollment';
import type { Objection } from '#policy';
import type { RequestState, StoredRequest } from '../store.ts';
import { isoTime, isoTimeOrNull } from './time.ts';

/** A request that waits, or waited, for an operator. */
export interface RequestView extends RequestSummary {
  readonly id: string;
  readonly device: string;
  readonly template: string;
  readonly state: RequestState;
  /** Each with its control, title and words of its own. */
  readonly objections: readonly Objection[];
  /** SHA-256 of the public key, and of the names to be certified: what an approval is given for. */
  readonly spki: string;
  readonly names: string;
  /** What its evidence says, to which an approval is bound where that was objected to; null: it has none that is verified. */
  readonly evidence: EvidenceSeen | null;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
}

export function requestView(request: StoredRequest): RequestView {
  const { id, deviceId, template, state, objections, spki, names, evidence, summary, decidedBy } = request;
  return {
    id,
    device: deviceId,
    template,
    state,
    ...summary,
    objections,
    spki,
    names,
    evidence,
    firstSeen: isoTime(request.firstSeen),
    lastSeen: isoTime(request.lastSeen),
    decidedBy,
    decidedAt: isoTimeOrNull(request.decidedAt),
  };
}
