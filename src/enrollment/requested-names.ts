import { isIP } from 'node:net';
import { canonicalRequestedName, type RequestedNames, type Template } from '#ca';
import { attributeTypes, extensionOids, generalNameKey } from '#x509';
import { nameOfOrder } from './device-name.ts';
import type {
  OrderObservation,
  PresenterObservation,
  RequestObservation,
  SourceObservation,
} from './observations.ts';
import { deviceIdentifierParts, isDeviceIdentifier, type OrderIdentifier } from './order.ts';

/**
 * A request for an ACME order may name one of its DNS names as commonName as well, or only there: "either in the commonName portion of the requested
 * subject name or in an extensionRequest attribute [...] or both" (RFC 8555 section 7.4). It counts as an alternative name, and as no subject.
 */
export function asOrdered(
  request: RequestObservation | null,
  { protocol }: Pick<SourceObservation, 'protocol'>,
  order: Pick<OrderObservation, 'identifiers'> | null,
): RequestObservation | null {
  if (protocol !== 'acme' || request === null) return request;
  const device = order?.identifiers.find(isDeviceIdentifier);
  if (device !== undefined) return ofDevice(request, device);
  const isCommonName = ({ type }: { type: string }) => type === attributeTypes['commonName'];
  const common = request.subject
    .flat()
    .filter(isCommonName)
    .map(({ value }) => ({ kind: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  const subject = request.subject
    .map((attributes) => attributes.filter((attribute) => !isCommonName(attribute)))
    .filter((attributes) => attributes.length > 0);
  const names = [...request.subjectAltName, ...common].map((name) => canonicalRequestedName(name) ?? name);
  return {
    ...request,
    subject,
    // What the certificate is for, its template says; libraries ask for a usage of their own whatever the key is (acme-client 5.4: keyEncipherment for EC).
    extensions: request.extensions.filter(({ oid }) => !usages.includes(oid)),
    subjectAltName: [...new Map(names.map((name) => [generalNameKey(name), name])).values()],
  };
}

/** What names the device as it was ordered asks for nothing: what the certificate says of it, its template says. Whatever else it names is judged. */
function ofDevice(request: RequestObservation, ordered: OrderIdentifier): RequestObservation {
  const parts = deviceIdentifierParts(ordered);
  const names = [ordered.value, parts?.value];
  const subject = request.subject.filter(
    (attributes) =>
      !attributes.every(({ type, value }) => type === attributeTypes['commonName'] && names.includes(value)),
  );
  const ofOrder = nameOfOrder(ordered);
  const key = ofOrder === null ? null : generalNameKey(ofOrder);
  return {
    ...request,
    subject,
    extensions: request.extensions.filter(({ oid }) => !usages.includes(oid)),
    subjectAltName: request.subjectAltName.filter((name) => generalNameKey(name) !== key),
  };
}

const usages: readonly string[] = [extensionOids.keyUsage, extensionOids.extendedKeyUsage];

/** A renewal that names nothing keeps what its certificate has: where its template says so, and in SCEP, which does not demand names (RFC 8894 section 2.3), and in ACME, where the order names what is wanted. */
export function keepsOmittedNames(
  { renewal }: Template,
  { protocol }: Pick<SourceObservation, 'protocol'>,
): boolean {
  return renewal.omittedNames === 'kept' || protocol !== 'est';
}

/**
 * The names that count as asked for. A renewal may ask to change them (RFC 6402 section 2.8), and where its template says so one that
 * names nothing keeps what its certificate has. An extension that its certificate has asks for nothing: what the new one has is the
 * template's.
 */
export function requestedNames(
  request: RequestObservation,
  template: Template,
  renewed: PresenterObservation | null,
  source: Pick<SourceObservation, 'protocol'>,
): RequestedNames {
  if (renewed === null) return request;
  const change = request.changeSubjectName;
  const kept = keepsOmittedNames(template, source);
  const subject =
    change?.subject ?? (kept && request.subject.length === 0 ? renewed.subject : request.subject);
  const subjectAltName =
    change?.subjectAltName ??
    (kept && request.subjectAltName.length === 0 ? renewed.subjectAltName : request.subjectAltName);
  // The SAN asked for may no longer be the one among the extensions.
  const extensions = request.extensions.filter(
    ({ oid, presented = false }) => oid !== extensionOids.subjectAltName && !presented,
  );
  return { subject, subjectAltName, extensions };
}
