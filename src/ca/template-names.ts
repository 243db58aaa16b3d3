import { attributeTypes, buildName, type GeneralName, generalNameKey, type Name } from '#x509';
import { admitRequestedNames } from './admitted-names.ts';
import {
  type AlternativeName,
  type AlternativeNameKind,
  canonicalAlternativeName,
  isSidUri,
} from './alternative-name.ts';
import { attributeValueProblem } from './attribute-value.ts';
import {
  type DeviceNames,
  expandNamePattern,
  identifierOf,
  parseNamePattern,
  type PatternPart,
} from './name-pattern.ts';
import { remembered } from './remembered.ts';
import type { Template } from './template.ts';

/** What a request asks for. Plain and serialisable: it is recorded, and asked again at replay. */
export interface RequestedNames {
  readonly subject: Name;
  readonly subjectAltName: readonly GeneralName[];
  readonly extensions: readonly {
    readonly oid: string;
    readonly critical: boolean;
    /** base64 */
    readonly value: string;
  }[];
}

export interface ExpandedNames {
  readonly subject: Name;
  readonly subjectAltName: GeneralName[];
  /** Those of them that only the request brought. */
  readonly admitted: readonly GeneralName[];
  /** Why no certificate may carry these names, in words that repeat no value of the device. Empty: all is well. */
  readonly problems: string[];
}

/**
 * The names a certificate of this template gets for this device: those that the template builds, and of the requested
 * ones those that a rule of the template admits.
 */
export function expandNames(
  template: Template,
  device: DeviceNames,
  requested: RequestedNames,
): ExpandedNames {
  const problems: string[] = [];
  const patterns = patternsOf(template);
  const subject = expandSubject(patterns, device, problems);
  const built = expandSubjectAltName(patterns, device, problems);
  const admitted = admitRequestedNames(template.request.subjectAltName, built, requested.subjectAltName);
  const subjectAltName = [...built, ...admitted];
  if (problems.length === 0 && subject.length === 0 && subjectAltName.length === 0) {
    problems.push('the template names nothing: neither subject nor subjectAltName');
  }
  return { subject, subjectAltName, admitted, problems };
}

function expandSubject(patterns: NamePatterns, device: DeviceNames, problems: string[]): Name {
  const attributes: { type: string; value: string }[] = [];
  for (const { type, oid, parts } of patterns.subject) {
    if (oid === undefined || parts === null) {
      problems.push(`subject ${type}: the template's type or pattern is not valid`);
      continue;
    }
    const expanded = expandNamePattern(parts, device);
    if ('missing' in expanded) {
      problems.push(`subject ${type}: the device has no ${expanded.missing}`);
      continue;
    }
    const problem = attributeValueProblem(oid, expanded.value);
    if (problem === null) attributes.push({ type: oid, value: expanded.value });
    else problems.push(`subject ${type}: the value ${problem}`);
  }
  return buildName(attributes);
}

function expandSubjectAltName(
  patterns: NamePatterns,
  device: DeviceNames,
  problems: string[],
): AlternativeName[] {
  const names = new Map<string, AlternativeName>();
  for (const { kind, optional, parts } of patterns.subjectAltName) {
    if (parts === null) {
      problems.push(`subjectAltName ${kind}: the template's pattern is not valid`);
      continue;
    }
    const expanded = expandNamePattern(parts, device);
    if ('missing' in expanded) {
      if (!optional) problems.push(`subjectAltName ${kind}: the device has no ${expanded.missing}`);
      continue;
    }
    const name = canonicalAlternativeName(kind, expanded.value);
    if (name === null || !staysInPlace(kind, parts, device) || namesSidUnasked(name, parts)) {
      problems.push(`subjectAltName ${kind}: the value is not one that a certificate may name`);
      continue;
    }
    names.set(generalNameKey(name), name);
  }
  return [...names.values()];
}

/**
 * Of a URI with a literal part, a device's value fills one place: it brings no delimiter (RFC 3986 section 2.2) that
 * would move the host or the path. A pattern that is one placeholder takes the whole URI from the device.
 */
function staysInPlace(
  kind: AlternativeNameKind,
  parts: readonly PatternPart[],
  device: DeviceNames,
): boolean {
  if (kind !== 'uri' || parts.length === 1) return true;
  return parts.every(
    (part) =>
      typeof part === 'string' || /^[A-Za-z0-9\-._~:]+$/u.test(identifierOf(device, part.identifier) ?? ''),
  );
}

/** A SID decides which Windows account a certificate signs in to: only a template that spells the prefix builds one. */
function namesSidUnasked(name: AlternativeName, parts: readonly PatternPart[]): boolean {
  const [first] = parts;
  return isSidUri(name) && !(typeof first === 'string' && isSidUri({ kind: 'uri', value: first }));
}

interface NamePatterns {
  readonly subject: readonly {
    readonly type: string;
    readonly oid: string | undefined;
    readonly parts: readonly PatternPart[] | null;
  }[];
  readonly subjectAltName: readonly {
    readonly kind: AlternativeNameKind;
    readonly optional: boolean;
    readonly parts: readonly PatternPart[] | null;
  }[];
}

const patternsOf = remembered((template: Template): NamePatterns => ({
  subject: template.subject.map(({ type, value }) => ({
    type,
    oid: Object.hasOwn(attributeTypes, type) ? attributeTypes[type] : undefined,
    parts: parseNamePattern(value),
  })),
  subjectAltName: template.subjectAltName.map(({ kind, optional, value }) => ({
    kind,
    optional,
    parts: parseNamePattern(value),
  })),
}));
