import { admitRequestedNames, type Template } from '#ca';
import { type GeneralName, hardwareSerialNumberOf, isObjectIdentifier } from '#x509';
import { sha256Hex } from './digests.ts';

/** A name of RFC 8555 section 9.7.7 or RFC 8738, or a device (draft-ietf-acme-device-attest sections 3 and 4). */
export type IdentifierType = 'dns' | 'ip' | DeviceIdentifierType;
export type DeviceIdentifierType = 'permanent-identifier' | 'hardware-module';

/** What an order names. Names are in canonical spelling, and a dns value may begin with `*.`; what names a device is compared octet for octet. */
export interface OrderIdentifier {
  readonly type: IdentifierType;
  readonly value: string;
}

/** Of a device, which is in the certificate as its template says, and not because it was ordered. */
export function isDeviceIdentifier(
  identifier: OrderIdentifier,
): identifier is OrderIdentifier & { readonly type: DeviceIdentifierType } {
  return identifier.type === 'permanent-identifier' || identifier.type === 'hardware-module';
}

/**
 * Its parts: a value without `/`, and the OID of who assigns it, which a hardware-module must have (draft-ietf-acme-device-attest sections 3 and 4). null: it
 * has not that form.
 */
export function deviceIdentifierParts({
  type,
  value,
}: OrderIdentifier): { readonly value: string; readonly oid: string | null } | null {
  const [, text, oid = null] =
    /^([^/]{1,200})(?:\/([0-2](?:\.(?:0|[1-9]\d{0,38})){1,30}))?$/u.exec(value) ?? [];
  if (text === undefined || /[\p{Cc}\p{Cs}]/u.test(text)) return null;
  if (oid !== null && !isObjectIdentifier(oid)) return null;
  if (type === 'hardware-module' && (oid === null || hardwareSerialNumberOf(text) === null)) return null;
  return { value: text, oid };
}

/** One spelling for one identifier. */
export function identifierKey({ type, value }: OrderIdentifier): string {
  return `${type}:${value}`;
}

/** null for a name of a kind that no order has. */
export function identifierOf(name: GeneralName): OrderIdentifier | null {
  return name.kind === 'dns' || name.kind === 'ip' ? { type: name.kind, value: name.value } : null;
}

function generalNamesOf(identifiers: readonly OrderIdentifier[]): GeneralName[] {
  return identifiers.flatMap(({ type, value }) =>
    type === 'dns' || type === 'ip' ? [{ kind: type, value }] : [],
  );
}

/** Whether a device itself is ordered by this template, and never a name: by evidence of its hardware. */
export function ordersDevices({ acme }: Pick<Template, 'acme'>): boolean {
  return acme?.challenges.includes('device-attest-01') === true;
}

/** Of what was ordered, what the template admits to no certificate, or the owner of the account was not given. Whether a device is the owner's own shows when its evidence is judged. */
export function notOrderable(
  template: Template,
  names: readonly string[] | null,
  identifiers: readonly OrderIdentifier[],
): readonly OrderIdentifier[] {
  if (ordersDevices(template)) return identifiers.filter((identifier) => !isDeviceIdentifier(identifier));
  const admitted = admitRequestedNames(template.request.subjectAltName, [], generalNamesOf(identifiers));
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
  if (names === null || isDeviceIdentifier(identifier)) return true;
  return names.some((name) =>
    name.startsWith('.')
      ? identifier.type === 'dns' && identifier.value.endsWith(name)
      : identifier.value === name,
  );
}
