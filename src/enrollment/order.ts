import { admitRequestedNames, type Template } from '#ca';
import type { GeneralName } from '#x509';
import { sha256Hex } from './digests.ts';

/** What an order names: RFC 8555 section 9.7.7 and RFC 8738. In canonical spelling; a dns value may begin with `*.`. */
export interface OrderIdentifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

/** One spelling for one identifier. */
export function identifierKey({ type, value }: OrderIdentifier): string {
  return `${type}:${value}`;
}

/** null for a name of a kind that no order has. */
export function identifierOf(name: GeneralName): OrderIdentifier | null {
  return name.kind === 'dns' || name.kind === 'ip' ? { type: name.kind, value: name.value } : null;
}

export function generalNameOf({ type, value }: OrderIdentifier): GeneralName {
  return { kind: type, value };
}

/** Of what was ordered, what the template admits to no certificate, or the owner of the account was not given. */
export function notOrderable(
  template: Template,
  names: readonly string[] | null,
  identifiers: readonly OrderIdentifier[],
): readonly OrderIdentifier[] {
  const admitted = admitRequestedNames(template.request.subjectAltName, [], identifiers.map(generalNameOf));
  const keys = new Set(
    admitted.map((name) => identifierKey({ type: name.kind as 'dns', value: name.value })),
  );
  return identifiers.filter(
    (identifier) => !keys.has(identifierKey(identifier)) || !isWithinNames(identifier, names),
  );
}

/** Digest of what is ordered, in whatever order. */
export function identifiersDigest(identifiers: readonly OrderIdentifier[]): string {
  return sha256Hex(Buffer.from(JSON.stringify(identifiers.map(identifierKey).toSorted())));
}

/** Who controls what an identifier names proves it for this, and for all below it where it is a wildcard. */
export function authorizationOf({ type, value }: OrderIdentifier): OrderIdentifier & { wildcard: boolean } {
  const wildcard = type === 'dns' && value.startsWith('*.');
  return { type, value: wildcard ? value.slice(2) : value, wildcard };
}

/**
 * Whether the owner of an account was given this name. `names` as in its external account key: a name or address stands for itself, and what begins
 * with a dot for every name below it, wildcards included; null: whatever the template admits.
 */
export function isWithinNames(identifier: OrderIdentifier, names: readonly string[] | null): boolean {
  if (names === null) return true;
  return names.some((name) =>
    name.startsWith('.')
      ? identifier.type === 'dns' && identifier.value.endsWith(name)
      : identifier.value === name,
  );
}
