import type { Examination } from '#evidence';
import type { Objection } from '#policy';
import type { Der } from '#x509';
import { askVerifier, verifierToAsk } from './ask-verifier.ts';
import { askWorkflows, isWorthAsking, type Withheld, type WorkflowsAsked } from './ask-workflows.ts';
import type { Authority } from './authority.ts';
import type { Observations } from './observations.ts';
import { type Asked, observe } from './observe.ts';
import type { EnrollmentStore } from './store.ts';
import { credentialOf, verifierLimit } from './verifier-limit.ts';

/** What a verifier said, of which device's evidence, and of which nonce. */
interface Verified {
  /** As it was before the question was spent. */
  readonly rate: { readonly tat: number | null };
  readonly device: string;
  readonly nonce: string;
  readonly examination: Examination;
}

/** What is seen of a request. `nonce`: that its evidence is to hold; null: none was given out. */
type Seen = Awaited<ReturnType<typeof observe>>;

/** Those outside who have a say in one request: who reads its evidence, and the workflows of its template. */
export class Consultation {
  readonly #asked: Asked;
  readonly #authority: Authority;
  readonly #store: EnrollmentStore;
  #verified: Verified | null = null;
  #workflows: WorkflowsAsked | null = null;

  constructor(asked: Asked, authority: Authority, store: EnrollmentStore) {
    this.#asked = asked;
    this.#authority = authority;
    this.#store = store;
  }

  /** What is seen, and what those outside have said of it. null: they were asked and took their time, and it is to be observed anew. */
  async observe(time: number): Promise<Seen | null> {
    const { observations, nonce } = await observe(this.#asked, this.#authority, this.#store, time);
    const examined = await this.#withEvidence(observations, nonce, time);
    const answered = examined && (await this.#withWorkflows(examined, time));
    return answered && { observations: answered, nonce };
  }

  /** As WorkflowsAsked has it. */
  async withheld(certificate: Der): Promise<Withheld | null> {
    return (await this.#workflows?.withheld(certificate)) ?? null;
  }

  /** As WorkflowsAsked has it. */
  failed(objection?: Objection): void {
    this.#workflows?.failed(objection);
  }

  async #withEvidence(
    observations: Observations,
    nonce: Uint8Array | null,
    time: number,
  ): Promise<Observations | null> {
    const device = observations.device?.id ?? '';
    const held = nonce === null ? '' : Buffer.from(nonce).toString('hex');
    // What was said was said of another one's evidence, or of another nonce.
    if (this.#verified?.device !== device || this.#verified.nonce !== held) this.#verified = null;
    if (this.#verified !== null) {
      const { examination, rate } = this.#verified;
      return {
        ...observations,
        rate: { ...observations.rate, verifier: rate },
        evidence: { ...observations.evidence!, examination },
      };
    }
    const asking = verifierToAsk(this.#asked, observations, nonce, this.#authority, time);
    if (asking === null) return observations;
    const { conforms, tat } = await this.#store.spendVerifierRate({
      deviceId: device,
      credential: credentialOf(observations),
      limit: verifierLimit(this.#authority.references),
      now: time,
    });
    if (!conforms) return { ...observations, rate: { ...observations.rate, verifier: { tat } } };
    const examination = await askVerifier(asking, this.#asked.evidence!.sha256);
    this.#verified = { rate: { tat }, device, nonce: held, examination };
    return null;
  }

  async #withWorkflows(observations: Observations, time: number): Promise<Observations | null> {
    // What they agreed to was for the device that was seen then.
    if (this.#workflows !== null && this.#workflows.device !== observations.device?.id) {
      this.#workflows.failed();
      this.#workflows = null;
    }
    if (this.#workflows !== null) return { ...observations, workflows: this.#workflows.said };
    if (!isWorthAsking(observations, this.#authority, time)) return observations;
    this.#workflows = await askWorkflows(this.#asked, observations, this.#authority);
    return null;
  }
}
