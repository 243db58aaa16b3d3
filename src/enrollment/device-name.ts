import type { ExpandedNames, Template } from '#ca';
import type { EvidenceIdentities } from '#evidence';
import {
  encodeHardwareModuleName,
  encodePermanentIdentifier,
  type GeneralName,
  hardwareSerialNumberOctets,
  hardwareSerialNumberOf,
  isDeviceName,
  isObjectIdentifier,
} from '#x509';
import type { EvidenceObservation, OrderObservation, PresenterObservation } from './observations.ts';
import { deviceIdentifierParts, isDeviceIdentifier, type OrderIdentifier } from './order.ts';

type Ordered = Pick<OrderObservation, 'identifiers'> | null;

/**
 * What was ordered, as the evidence says it, octet for octet (draft-ietf-acme-device-attest sections 3 and 4); null: the evidence is not of it. An order may leave out who assigns an identifier, and may have the
 * serial number of a hardware module for its identifier: what is returned says whose it is, so that no two devices have it.
 */
export function orderedName(identities: EvidenceIdentities, ordered: OrderIdentifier): GeneralName | null {
  const { value, oid } = deviceIdentifierParts(ordered) ?? { value: '', oid: null };
  if (value === '') return null;
  const { serialNumber, udid, imei = [], permanentIdentifier, hardwareModule } = identities;
  const isOf = (found: string | null) => oid === null || oid === found;
  if (ordered.type === 'permanent-identifier') {
    const known = permanentIdentifier?.value === value ? permanentIdentifier : null;
    if (known !== null && isOf(known.assigner)) return identifierName(known);
    const numbers = [serialNumber, udid, ...imei];
    if (oid === null && numbers.includes(value)) return encodePermanentIdentifier(value);
  }
  if (hardwareModule === undefined || !isOf(hardwareModule.type)) return null;
  const wanted = ordered.type === 'hardware-module' ? hardwareSerialNumberOf(value) : value;
  return hardwareModule.serialNumber === wanted ? moduleName(hardwareModule) : null;
}

/** All that `orderedName` may be. */
function namesOf({
  serialNumber,
  udid,
  imei = [],
  permanentIdentifier,
  hardwareModule,
}: EvidenceIdentities): readonly GeneralName[] {
  const numbers = [serialNumber, udid, ...imei].filter((text) => text !== undefined);
  const names = [
    permanentIdentifier === undefined ? null : identifierName(permanentIdentifier),
    ...numbers.map((value) => encodePermanentIdentifier(value)),
    hardwareModule === undefined ? null : moduleName(hardwareModule),
  ];
  return names.filter((name) => name !== null);
}

/** What was ordered, as a request may name it; null: it has not the form of an identifier. */
export function nameOfOrder(ordered: OrderIdentifier): GeneralName | null {
  const parts = deviceIdentifierParts(ordered);
  if (parts === null) return null;
  const { value, oid } = parts;
  if (ordered.type === 'permanent-identifier') return encodePermanentIdentifier(value, oid);
  return oid === null ? null : moduleName({ type: oid, serialNumber: value });
}

/* null: whoever said so wrote it in no form that a certificate has. */

function identifierName({
  value,
  assigner,
}: NonNullable<EvidenceIdentities['permanentIdentifier']>): GeneralName | null {
  return assigner === null || isObjectIdentifier(assigner)
    ? encodePermanentIdentifier(value, assigner)
    : null;
}

function moduleName({
  type,
  serialNumber,
}: NonNullable<EvidenceIdentities['hardwareModule']>): GeneralName | null {
  const text = hardwareSerialNumberOf(serialNumber);
  if (text === null || !isObjectIdentifier(type)) return null;
  return encodeHardwareModuleName({ hardwareType: type, serialNumber: hardwareSerialNumberOctets(text) });
}

/** What the certificate names, and whatever it would name if the same device had been ordered otherwise: what an operator denies is for all of it. */
export interface NamesOfOrder {
  readonly certified: ExpandedNames;
  readonly alike: readonly ExpandedNames[];
}

/** Where the template wants it, with the name by which the device was ordered. */
export function withDeviceName(
  names: ExpandedNames,
  { acme }: Template,
  order: Ordered,
  evidence: EvidenceObservation | null,
): NamesOfOrder {
  const ordered = order?.identifiers.find(isDeviceIdentifier);
  const { identities } = evidence?.examination?.statement ?? {};
  if (acme?.embedIdentifier !== true || ordered === undefined || identities === undefined) {
    return { certified: names, alike: [] };
  }
  const withName = (name: GeneralName) => ({ ...names, subjectAltName: [...names.subjectAltName, name] });
  const name = orderedName(identities, ordered);
  return { certified: name === null ? names : withName(name), alike: namesOf(identities).map(withName) };
}

/** The certificate that an order of a device renews: by which name it was ordered then is no name that this one must have. */
export function withoutDeviceName(presenter: PresenterObservation, order: Ordered): PresenterObservation {
  if (order?.identifiers.some(isDeviceIdentifier) !== true) return presenter;
  return { ...presenter, subjectAltName: presenter.subjectAltName.filter((name) => !isDeviceName(name)) };
}
