import { named, type Authority, type References, type SourceObservation } from '#enrollment';
import type { KeyAlgorithm } from '#keys';
import { attributeTypes, type CsrAttributesWishes, type Der, encodeCsrAttributes } from '#x509';

type Template = References['templates'][string];

/** The answer to csrattrs (RFC 7030 section 4.5.2, RFC 9908). */
export interface CsrAttributes {
  readonly outcome: 'csrattrs';
  readonly attributes: Der;
}

/** What a request for the label's template should hold, so that a client learns it before it makes a key. null: no such label here. */
export function csrAttributes(source: SourceObservation, authority: Authority): CsrAttributes | null {
  const est = named(authority.references.listeners, source.listener)?.protocols.est;
  const name = source.template ?? est?.defaultTemplate ?? null;
  const template = named(authority.references.templates, name);
  if (template === undefined || !est?.templates.includes(template.name)) return null;
  return { outcome: 'csrattrs', attributes: encodeCsrAttributes(wishesOf(template)) };
}

function wishesOf(template: Template): CsrAttributesWishes {
  return {
    challengePassword: template.channelBinding === 'required',
    subject: template.subject.flatMap(({ type, value }) => {
      const oid = attributeTypes[type];
      return oid === undefined ? [] : [{ type: oid, value: literal(value) }];
    }),
    // What is optional the authority adds by itself, where the inventory knows it.
    subjectAltName: template.subjectAltName
      .filter(({ optional }) => !optional)
      .map(({ kind, value }) => ({ kind, value: literal(value) })),
    key: keyWishes[template.keyAlgorithms[0]!],
    keyUsage: template.keyUsage,
    extendedKeyUsage: template.extendedKeyUsage,
    extensions: template.extensions.map(({ oid, critical, value }) => ({
      oid,
      critical,
      value: Uint8Array.fromHex(value),
    })),
  };
}

/** What differs from device to device the client fills in. */
function literal(pattern: string): string | null {
  return pattern.includes('{') ? null : pattern;
}

const keyWishes = {
  'ec-p256': { kind: 'ec', curve: 'P-256' },
  'ec-p384': { kind: 'ec', curve: 'P-384' },
  'rsa-2048': { kind: 'rsa', bits: 2048 },
  'rsa-3072': { kind: 'rsa', bits: 3072 },
  'rsa-4096': { kind: 'rsa', bits: 4096 },
  ed25519: { kind: 'ed25519' },
  'ml-dsa-44': { kind: 'ml-dsa-44' },
  'ml-dsa-65': { kind: 'ml-dsa-65' },
  'ml-dsa-87': { kind: 'ml-dsa-87' },
} as const satisfies Record<KeyAlgorithm, CsrAttributesWishes['key']>;
