import { isSallyportError, SallyportError } from '#errors';
import { type Bundle, loadRecordedBundle, type Verdict } from '#policy';
import { validity } from './derive.ts';
import { sha256Hex } from './digests.ts';
import type { RequestEntry } from './entry.ts';
import { Recent } from './recent.ts';
import { needsApproval } from './needs-approval.ts';
import { named, type References } from './references.ts';
import { judgeLeaf, replayEntry } from './replay.ts';

/** The bodies of references and policies, by digest; null: nobody has it. */
export interface RecordedBodies {
  references(digest: string): Promise<Uint8Array | null>;
  policies(digest: string): Promise<string | null>;
}

/** Recomputes facts and verdict of recorded requests, with the references and policies that they name. */
export class RequestReplay {
  readonly #bodies: RecordedBodies;
  readonly #references = new Recent<References>(16);
  readonly #bundles = new Recent<Bundle>(16);

  constructor(bodies: RecordedBodies) {
    this.#bodies = bodies;
  }

  /**
   * What is wrong with the entry, in words; null: nothing. `leaf`: its names were erased, so that its facts are judged again and not derived.
   */
  async objectionTo(entry: RequestEntry, form: 'whole' | 'leaf' = 'whole'): Promise<string | null> {
    try {
      const { references, bundle } = await this.#inForce(entry);
      const { same, verdict } =
        form === 'leaf' ? judgeLeaf(entry, bundle) : replayEntry(entry, references, bundle);
      if (!same) {
        return `judged again, it comes out otherwise: ${decisionWords(entry.verdict)} was recorded, ${decisionWords(verdict)} is right`;
      }
      return outcomeObjection(entry);
    } catch (error) {
      // What is recorded may be anything: an entry that breaks deriving is a finding and no fault of this program.
      return isSallyportError(error) ? error.message : `it cannot be judged again: ${String(error)}`;
    }
  }

  /** Of an entry to which nothing is objected: its verdict follows with its approval alone. */
  async neededApproval(entry: RequestEntry): Promise<boolean> {
    const { bundle } = await this.#inForce(entry);
    // Reasons are words: no verdict hangs on them, and they may have been erased.
    return needsApproval({ ...entry.facts, reasons: {} }, bundle);
  }

  /** Of an entry to which nothing is objected: what its certificate must have, without its names; null: nobody can say. */
  async certified({ certificate, facts, observations, time, ...entry }: RequestEntry) {
    const { references } = await this.#inForce(entry);
    const template = named(references.templates, certificate?.template);
    if (template === undefined) return null;
    const deviceClass = named(references.deviceClasses, facts.deviceClass);
    // A key that the authority made is in no entry.
    const spki = observations.key?.spki ?? null;
    return { ...validity(template, deviceClass, references, time, observations.order ?? null), spki };
  }

  async #inForce(
    entry: Pick<RequestEntry, 'references' | 'policies'>,
  ): Promise<{ references: References; bundle: Bundle }> {
    const references = await this.#references.get(entry.references, () =>
      this.#loadReferences(entry.references),
    );
    const key = `${entry.policies} ${entry.references}`;
    const bundle = await this.#bundles.get(key, () => this.#loadBundle(entry.policies, references));
    return { references, bundle };
  }

  async #loadReferences(digest: string): Promise<References> {
    const body = await this.#bodies.references(digest);
    if (body === null) {
      throw new SallyportError('log', `the references ${digest} it was judged by are missing`);
    }
    if (sha256Hex(body) !== digest) throw new SallyportError('log', `the references ${digest} were changed`);
    return JSON.parse(Buffer.from(body).toString('utf8')) as References;
  }

  async #loadBundle(digest: string, references: References): Promise<Bundle> {
    const text = await this.#bodies.policies(digest);
    if (text === null) throw new SallyportError('log', `the policies ${digest} it was judged by are missing`);
    if (sha256Hex(Buffer.from(text)) !== digest) {
      throw new SallyportError('log', `the policies ${digest} were changed`);
    }
    return loadRecordedBundle(text, {
      templates: Object.keys(references.templates),
      deviceClasses: Object.keys(references.deviceClasses),
    });
  }
}

/** What was done must follow from the verdict: nothing is issued without an allow, and nothing held or refused with one. */
function outcomeObjection({ outcome, verdict, certificate }: RequestEntry): string | null {
  const delivered = ['issued', 'redelivered', 'withheld', 'withdrawn'].includes(outcome);
  const allowed = verdict.decision === 'allow';
  if (delivered && !allowed) {
    return `a certificate was ${outcome} against the verdict ${decisionWords(verdict)}`;
  }
  if (outcome === 'held' && verdict.decision !== 'hold') {
    return `it was held against the verdict ${decisionWords(verdict)}`;
  }
  if (outcome === 'refused' && allowed) return 'it was refused although the verdict was allow';
  if (delivered !== (certificate !== null)) {
    return `its outcome is ${outcome}, and it names ${certificate === null ? 'no' : 'a'} certificate`;
  }
  return null;
}

function decisionWords({ decision, objections }: Verdict): string {
  return objections.length === 0
    ? decision
    : `${decision} (${objections.map(({ control }) => control).join(', ')})`;
}
