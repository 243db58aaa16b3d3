import { InvalidArgumentError } from 'commander';

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** `commonName=laptop-7`, given once for each attribute, in order. */
export function collectAttribute(text: string, before: readonly NamedValue[] = []): NamedValue[] {
  return [...before, split(text, '=', 'an attribute reads commonName=laptop-7')];
}

const alternativeNameKinds = ['dns', 'email', 'uri', 'ip'] as const;
export interface AlternativeName {
  readonly kind: (typeof alternativeNameKinds)[number];
  readonly value: string;
}

/** `dns:laptop-7.example.com`, given once for each name. */
export function collectAlternativeName(
  text: string,
  before: readonly AlternativeName[] = [],
): AlternativeName[] {
  const { name, value } = split(text, ':', 'an alternative name reads dns:laptop-7.example.com');
  const kind = alternativeNameKinds.find((known) => known === name);
  if (kind === undefined) {
    throw new InvalidArgumentError(`${name} is none of ${alternativeNameKinds.join(', ')}.`);
  }
  return [...before, { kind, value }];
}

function split(text: string, separator: string, words: string): NamedValue {
  const at = text.indexOf(separator);
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError(`${words}.`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
