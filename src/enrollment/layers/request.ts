import { compareRequest, type ExpandedNames, type RequestedNames, type Template } from '#ca';
import type { Context } from '#policy';
import type { KeyObservation, RequestObservation } from '../observations.ts';
import { Finding } from './finding.ts';

/** What was asked for, beside what the template builds. */
export function deriveRequest(
  request: RequestObservation,
  requested: RequestedNames,
  template: Template,
  names: ExpandedNames,
  asked: { keygen: boolean; renewal: boolean },
): Finding<NonNullable<Context['request']>> {
  const objections = compareRequest(template, names, requested);
  // Only a renewal has names to change.
  const changes = !asked.renewal && request.changeSubjectName !== null;
  const facts = {
    // RFC 7030 section 4.4.1: where the authority makes the key, it ignores the request's own key and signature.
    possession: request.possession || asked.keygen,
    subject: objections.subject === null && !changes,
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
    .because(
      'request-subject',
      facts.subject,
      objections.subject ?? 'asks to change names in a first enrollment',
    )
    .because('request-subject-alt-name', facts.subjectAltName, objections.subjectAltName ?? '')
    .because('request-usage', facts.usage, objections.usage ?? '')
    .because('request-end-entity', facts.endEntity, objections.endEntity ?? '')
    .because('request-no-sid', facts.noSid, objections.noSid ?? '')
    .because('request-extensions', facts.extensions, objections.extensions ?? '');
}

export function deriveKey(key: KeyObservation, template: Template): Finding<NonNullable<Context['key']>> {
  const facts = {
    algorithmAllowed:
      key.origin === 'authority' || (template.keyAlgorithms as readonly string[]).includes(key.algorithm),
    originAllowed: key.origin === 'device' || key.algorithm === template.serverKeygen,
    strong: key.weaknesses.length === 0,
    unshared: !key.shared,
  };
  return new Finding(facts)
    .because(
      'key-algorithm',
      facts.algorithmAllowed,
      `template ${template.name} allows ${template.keyAlgorithms.join(', ')}; the key is ${key.algorithm} with ${key.bits} bits`,
    )
    .because(
      'key-origin',
      facts.originAllowed,
      `the authority makes no keys for template ${template.name}: the device makes its own`,
    )
    .because('key-strength', facts.strong, `the key is weak: ${key.weaknesses.join(', ')}`)
    .because(
      'key-unshared',
      facts.unshared,
      'another device has or had a certificate for this key, or one for it was revoked as compromised',
    );
}
