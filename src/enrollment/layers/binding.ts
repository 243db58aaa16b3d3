import type { Template } from '#ca';
import type { Context } from '#policy';
import type { RequestObservation } from '../observations.ts';
import { Finding } from './finding.ts';

/** RFC 7030 section 3.5: a binding that is there MUST be verified; whether one must be there, the template says. */
export function deriveBinding(
  request: RequestObservation,
  template: Template | undefined,
  forwarded: boolean,
): Finding<NonNullable<Context['binding']>> {
  const { channelBinding } = request;
  const facts = {
    required: template?.channelBinding !== 'optional',
    bound: channelBinding === 'tls-unique' || channelBinding === 'tls-exporter',
    // What a registration authority forwards is bound to the device's connection with it, which it has verified itself (section 3.7).
    contradicted: channelBinding === 'foreign' && !forwarded,
  };
  return new Finding(facts)
    .because(
      'binding-present',
      !facts.required || facts.bound,
      `template ${template?.name ?? '(none)'} demands a channel binding, and the request holds none of this connection`,
    )
    .because(
      'binding-matches',
      !facts.contradicted,
      'the channel binding in the request is of another connection',
    );
}
