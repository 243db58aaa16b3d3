import type { AdminActs } from '../harness/admin-acts.ts';
import type { ServedAuthority } from '../harness/authority.ts';
import type { Random } from './random.ts';
import type { Victim } from './victim.ts';
import { wait } from './waiting.ts';
import type { Witness } from './witness.ts';

/** How long somebody asks before he complains. For the proof that a node was to look for when it ended, another one looks after two minutes. */
const patienceMilliseconds = { ofOneNode: 60_000, ofSeveral: 150_000 };

/** What an answer is to who asked: what he wanted, one to ask again after, or one that nobody should get. */
export type Verdict = 'done' | 'again' | 'wrong';

/** Asking whatever node answers, again and again. What is not had in the end is a finding. */
export class Asking {
  readonly #nodes: readonly Victim[];
  readonly #witness: Witness;
  readonly #random: Random;
  readonly #patience: number;

  constructor(nodes: readonly Victim[], witness: Witness, random: Random) {
    this.#nodes = nodes;
    this.#witness = witness;
    this.#random = random;
    this.#patience = nodes.length > 1 ? patienceMilliseconds.ofSeveral : patienceMilliseconds.ofOneNode;
  }

  get authority(): ServedAuthority {
    return this.nodeOf();
  }

  /** One of these that run. */
  nodeOf(nodes: readonly Victim[] = this.#nodes): ServedAuthority {
    const running = nodes.flatMap(({ served }) => served ?? []);
    if (running.length === 0) throw new Error('no node runs');
    return this.#random.pick(running);
  }

  async until<Answer extends { readonly status: number; readonly text: string }>(
    who: string,
    ask: (node: ServedAuthority) => Promise<Answer>,
    verdictOn: (answer: Answer) => Verdict,
    nodes = this.#nodes,
  ): Promise<void> {
    let last = '';
    for (const end = performance.now() + this.#patience; performance.now() < end;) {
      try {
        const answer = await ask(this.nodeOf(nodes));
        last = `${answer.status}: ${answer.text}`;
        const verdict = verdictOn(answer);
        if (verdict === 'done') return;
        if (verdict === 'wrong') {
          this.#witness.findings.push(`${who} was answered ${last}`);
          return;
        }
      } catch (error) {
        last = String(error);
      }
      await wait(20 + this.#random.below(80));
    }
    this.#witness.findings.push(`${who} has no certificate after ${this.#patience} ms; last ${last}`);
  }

  /** As an operator. */
  async operate(what: string, act: (admin: AdminActs) => Promise<void>): Promise<void> {
    let last = '';
    for (const end = performance.now() + this.#patience; performance.now() < end; await wait(50)) {
      try {
        return await act(this.authority.admin);
      } catch (error) {
        last = String(error);
      }
    }
    this.#witness.findings.push(`${what} failed for ${this.#patience} ms: ${last}`);
  }

  /** What waits for an operator. */
  approve(device: string): Promise<void> {
    return this.operate(`approving ${device}`, async ({ client }) => {
      const { items } = await client.perform('listRequests', { state: 'pending', limit: 200 });
      const request = items.find((item) => item.device === device);
      if (request !== undefined) await client.perform('approveRequest', { id: request.id });
    });
  }
}
