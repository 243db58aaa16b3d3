import { type Entry, examinationDigest, withoutFreshness } from '#enrollment';
import type { Position } from './compare-certificates.ts';

/**
 * The store keeps what a verifier outside said of evidence, for the same request again: that is what the log says that it said at first. One digest for each such evidence is held
 * in memory; what was erased is compared by nobody.
 */
export class VerifiedEvidenceComparison {
  readonly #report: (position: Position, message: string) => void;
  readonly #said = new Set<string>();

  constructor(report: (position: Position, message: string) => void) {
    this.#report = report;
  }

  /** In the order of the logs. */
  entry(position: Position, entry: Entry): void {
    if (entry.type !== 'request') return;
    const { examination, earlier = null } = entry.observations.evidence ?? {};
    if (examination?.format !== 'external' || !examination.statement) return;
    if (examination.certificates === undefined) return;
    const digest = examinationDigest(withoutFreshness(examination));
    if (earlier === null) {
      // What is refused is kept nowhere.
      if (entry.outcome === 'held' || entry.outcome === 'issued') this.#said.add(digest);
    } else if (earlier.same && !this.#said.has(digest)) {
      this.#report(position, 'what the verifier of its evidence said is not what the log says that it said');
    }
  }
}
