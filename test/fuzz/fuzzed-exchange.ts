import { csrFor } from '../harness/csr.ts';
import type { Asker, Proof } from './asker.ts';
import type { Choices } from './choices.ts';
import { damaged, type Exchange, misframed, pipelined, refusable, whole } from './framing.ts';
import { fuzzedCsr } from './fuzzed-csr.ts';
import { basic, type Message, messageOf } from './message.ts';
import { changeMessage } from './message-changes.ts';
import type { Seed } from './seed-text.ts';

export interface Sender {
  readonly asker: Asker;
  /** Whose credentials are tried as well. */
  readonly others: readonly Asker[];
  readonly proof: Proof;
  readonly host: string;
  readonly seeds: readonly Seed[];
}

export function fuzzedExchange(choices: Choices, sender: Sender): Exchange {
  const one = () => fuzzedMessage(choices, sender);
  return choices.weighted<() => Exchange>([
    [44, () => whole(choices, one())],
    [3, () => pipelined(choices, Array.from({ length: choices.between(2, 6) }, one))],
    [2, () => refusable(choices, one())],
    [1, () => misframed(choices, one())],
    [1, () => damaged(choices, one())],
  ])();
}

/** A seed of the sender's, some of it changed; head and framing stay what HTTP allows. */
function fuzzedMessage(choices: Choices, { asker, others, proof, host, seeds }: Sender): Message {
  const able = seeds.filter(({ target }) => proof !== 'nothing' || !target.endsWith('/simplereenroll'));
  const seed = choices.pick(able);
  const user = choices.chance(0.95) ? asker : choices.pick(others);
  const csr = choices.chance(0.3) ? expectedCsr(seed, asker) : fuzzedCsr(choices, asker);
  const message = messageOf(seed, { host, csr, authorization: basic(user.id, user.secret) });
  // The seeds ask the default template, and serverkeygen that of sensors.
  if (asker.template === 'iot' && choices.chance(0.9)) {
    message.target = message.target.replace(/est\/(?:iot\/)?/, 'est/iot/');
  }
  message.headers = message.headers.filter(([name]) => name !== 'Connection' || choices.chance(0.05));
  const many = choices.pick([0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 4]);
  for (let left = many; left > 0; left -= 1) changeMessage(choices, message, asker);
  return message;
}

/** A request that is in order: a renewal names what its certificate names (RFC 7030 section 4.2.2). */
export function expectedCsr({ target }: Seed, { id, key, entitled }: Asker): Buffer {
  const { subjectAltName } = entitled;
  const named = target.endsWith('/simplereenroll') && subjectAltName.length > 0;
  return csrFor(id, key, named ? { subjectAltName } : {});
}
