import { compareRequest, type ExpandedNames, type Template } from '#ca';
import type { Context } from '#policy';
import type { KeyObservation, RequestObservation } from '../observations.ts';
import { Finding } from './finding.ts';

/** What was asked for, beside what the template builds. */
export function deriveRequest(
  request: RequestObservation,
  template: Template,
  names: ExpandedNames,
): Finding<NonNullable<Context['request']>> {
  const objections = compareRequest(template, names, request);
  const facts = {
    possession: request.possession,
    subject: objections.subject === null,
    subjectAltName: objections.subjectAltName === null,
    usage: objections.usage === null,
    endEntity: objections.endEntity === null,
    noSid: objections.noSid === null,
    extensions: objections.extensions === null,
  };
  return new Finding(facts)
    .because(
      'request-possession',
      facts.possession,
      "the request's own signature does not verify: its sender does not hold the key",
    )
    .because('request-subject', facts.subject, objections.subject ?? '')
    .because('request-subject-alt-name', facts.subjectAltName, objections.subjectAltName ?? '')
    .because('request-usage', facts.usage, objections.usage ?? '')
    .because('request-end-entity', facts.endEntity, objections.endEntity ?? '')
    .because('request-no-sid', facts.noSid, objections.noSid ?? '')
    .because('request-extensions', facts.extensions, objections.extensions ?? '');
}

export function deriveKey(key: KeyObservation, template: Template): Finding<NonNullable<Context['key']>> {
  const facts = {
    algorithmAllowed: (template.keyAlgorithms as readonly string[]).includes(key.algorithm),
    strong: key.weaknesses.length === 0,
    unshared: !key.shared,
  };
  return new Finding(facts)
    .because(
      'key-algorithm',
      facts.algorithmAllowed,
      `template ${template.name} allows ${template.keyAlgorithms.join(', ')}; the key is ${key.algorithm} with ${key.bits} bits`,
    )
    .because('key-strength', facts.strong, `the key is weak: ${key.weaknesses.join(', ')}`)
    .because('key-unshared', facts.unshared, 'another device has or had a certificate for this key');
}
