import { attributeTypes } from '#x509';
import { compareExtensions } from './compare-extensions.ts';
import { compareSubjectAltName } from './compare-subject-alt-name.ts';
import { mention, mergeObjections, type RequestObjections } from './request-objections.ts';
import type { ExpandedNames, RequestedNames } from './template-names.ts';
import type { Template } from './template.ts';

/** What a request asks for, held against what the certificate will be. Pure: asked again at replay. */
export function compareRequest(
  template: Template,
  expanded: Pick<ExpandedNames, 'subject' | 'subjectAltName'>,
  requested: RequestedNames,
): RequestObjections {
  return mergeObjections([
    compareSubject(template, expanded, requested),
    compareSubjectAltName(expanded.subjectAltName, requested.subjectAltName),
    ...compareExtensions(template, expanded.subjectAltName, requested.extensions),
  ]);
}

const typeNames = new Map(Object.entries(attributeTypes).map(([name, oid]) => [oid, name]));

/** An empty subject asks for nothing; each attribute asked for is one that the template builds, or ignores by name. */
function compareSubject(
  template: Template,
  expanded: Pick<ExpandedNames, 'subject'>,
  requested: RequestedNames,
): Partial<RequestObjections> {
  const built = new Set(expanded.subject.flat().map(({ type, value }) => `${type}=${value}`));
  const ignored = new Set(template.request.ignoredSubjectAttributes);
  const strange: string[] = [];
  for (const { type, value } of requested.subject.flat()) {
    const name = typeNames.get(type) ?? type;
    if (!built.has(`${type}=${value}`) && !ignored.has(name) && !ignored.has(type)) strange.push(name);
  }
  if (strange.length === 0) return {};
  return { subject: `asks for a subject (${mention(strange)}) that the template does not build` };
}
