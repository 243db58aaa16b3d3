import type { Facts, Objection, Verdict } from './facts.ts';

/** An objection before it is told to anyone: `detail` null means that the reasons of the facts have the words. */
export interface FoundObjection {
  readonly control: string;
  readonly title: string;
  readonly detail: string | null;
  readonly liftable: boolean;
}

/** A verdict without the words that differ from request to request. */
export interface Finding {
  readonly decision: Verdict['decision'];
  readonly objections: readonly FoundObjection[];
}

/** What was judged: for which action and template a verdict speaks. */
export type Judged = Pick<Facts, 'action' | 'template'>;

const judged = new WeakMap<Verdict, Judged>();

/** What this very verdict was about; null for a copy, or one made by hand: that did not come from the judge. */
export function judgedBy(verdict: Verdict): Judged | null {
  return judged.get(verdict) ?? null;
}

/** The only place that makes verdicts: frozen, and a new object for each judgement. */
export function pronounce(finding: Finding, { action, template, reasons }: Facts): Verdict {
  const objections = finding.objections.map((found): Objection => {
    const { control, title, detail, liftable } = found;
    return Object.freeze({
      control,
      title,
      detail: detail ?? (reasonFor(control, reasons) || title),
      liftable,
    });
  });
  const verdict = Object.freeze({ decision: finding.decision, objections: Object.freeze(objections) });
  judged.set(verdict, { action, template });
  return verdict;
}

function reasonFor(control: string, reasons: Facts['reasons']): string {
  return Object.hasOwn(reasons, control) ? (reasons[control] ?? '') : '';
}
