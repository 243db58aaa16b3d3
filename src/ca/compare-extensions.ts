import { isSallyportError } from '#errors';
import {
  extensionOids,
  type GeneralName,
  oids,
  parseExtendedKeyUsage,
  parseKeyUsage,
  parseRequestedBasicConstraints,
  parseSubjectAltName,
  readDer,
} from '#x509';
import { compareSubjectAltName } from './compare-subject-alt-name.ts';
import { mention, type RequestObjections } from './request-objections.ts';
import type { RequestedNames } from './template-names.ts';
import type { Template } from './template.ts';

interface Comparison {
  /** The kind of objection where the value does not parse. */
  readonly kind: keyof RequestObjections;
  compare(value: Uint8Array, template: Template, built: readonly GeneralName[]): Partial<RequestObjections>;
}

/** The extensions a request may ask for, and for how much. Any other is an objection. */
const comparisons: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  [
    extensionOids.subjectAltName,
    {
      kind: 'subjectAltName',
      compare: (value, _template, built) => compareSubjectAltName(built, parseSubjectAltName(value)),
    },
  ],
  [
    extensionOids.keyUsage,
    { kind: 'usage', compare: (value, { keyUsage }) => usagesBeyond(keyUsage, parseKeyUsage(value)) },
  ],
  [
    extensionOids.extendedKeyUsage,
    {
      kind: 'usage',
      compare: (value, { extendedKeyUsage }) => usagesBeyond(extendedKeyUsage, parseExtendedKeyUsage(value)),
    },
  ],
  [
    extensionOids.basicConstraints,
    {
      kind: 'endEntity',
      compare: (value) =>
        parseRequestedBasicConstraints(value).ca ? { endEntity: 'asks to be a certification authority' } : {},
    },
  ],
  [
    oids.msTemplateName,
    {
      kind: 'extensions',
      compare: (value, { name }) =>
        isTemplateName(value, name) ? {} : { extensions: 'asks by name for another template' },
    },
  ],
  [oids.msSid, { kind: 'noSid', compare: () => ({ noSid: 'asks for the Microsoft SID extension' }) }],
  // Computed from the key, whatever the request says.
  [extensionOids.subjectKeyIdentifier, { kind: 'extensions', compare: () => ({}) }],
]);

export function compareExtensions(
  template: Template,
  built: readonly GeneralName[],
  extensions: RequestedNames['extensions'],
): Partial<RequestObjections>[] {
  const unknown = extensions
    .filter((extension) => !comparisons.has(extension.oid) && !isOfTemplate(template, extension))
    .map(({ oid }) => oid);
  const objections: Partial<RequestObjections>[] = extensions.map(({ oid, value }) => {
    const comparison = comparisons.get(oid);
    return comparison === undefined ? {} : compareOne(comparison, oid, value, template, built);
  });
  if (unknown.length > 0) {
    objections.push({
      extensions: `asks for extensions that the template does not know: ${mention(unknown)}`,
    });
  }
  // RFC 5280 section 4.2: "A certificate MUST NOT include more than one instance of a particular extension."
  if (new Set(extensions.map(({ oid }) => oid)).size < extensions.length) {
    objections.push({ extensions: 'asks for one extension more than once' });
  }
  return objections;
}

/** It gets what it asks for, whether it asks or not. */
function isOfTemplate(template: Template, { oid, value }: RequestedNames['extensions'][number]): boolean {
  const own = template.extensions.find((extension) => extension.oid === oid);
  return own !== undefined && Buffer.from(value, 'base64').toString('hex') === own.value;
}

function compareOne(
  { kind, compare }: Comparison,
  oid: string,
  value: string,
  template: Template,
  built: readonly GeneralName[],
): Partial<RequestObjections> {
  try {
    return compare(Uint8Array.fromBase64(value), template, built);
  } catch (error) {
    // fromBase64 throws SyntaxError, parsers SallyportError; any other would be a fault of ours.
    if (!(error instanceof SyntaxError) && !isSallyportError(error)) throw error;
    return { [kind]: `asks for extension ${oid} with a value that does not parse` };
  }
}

function usagesBeyond(allowed: readonly string[], asked: readonly string[]): Partial<RequestObjections> {
  const beyond = asked.filter((usage) => !allowed.includes(usage));
  return beyond.length === 0 ? {} : { usage: `asks for a usage beyond the template's: ${mention(beyond)}` };
}

/** Microsoft's clients write BMPString, others one of the string types that UTF-8 reads. */
const textDecoders: ReadonlyMap<number, TextDecoder> = new Map([
  [0x0c, new TextDecoder('utf-8', { fatal: true })],
  [0x13, new TextDecoder('utf-8', { fatal: true })],
  [0x16, new TextDecoder('utf-8', { fatal: true })],
  [0x1e, new TextDecoder('utf-16be', { fatal: true })],
]);

function isTemplateName(value: Uint8Array, name: string): boolean {
  const { tag, content } = readDer(value);
  try {
    return textDecoders.get(tag)?.decode(content) === name;
  } catch {
    return false;
  }
}
