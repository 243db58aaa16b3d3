import type { ExpandedNames, Template } from '#ca';
import {
  encodeHardwareModuleName,
  encodePermanentIdentifier,
  type GeneralName,
  hardwareSerialNumberOctets,
  isDeviceName,
} from '#x509';
import type { OrderObservation, PresenterObservation } from './observations.ts';
import {
  deviceIdentifierParts,
  isDeviceIdentifier,
  orderedSerialNumber,
  type OrderIdentifier,
} from './order.ts';

/* A device's name in its certificate (draft-ietf-acme-device-attest sections 3 and 4): what was ordered, of which the evidence is, octet for octet. */

type Ordered = Pick<OrderObservation, 'identifiers'> | null;

/** Where the template wants it, with the name by which the device was ordered. */
export function withDeviceName(names: ExpandedNames, { acme }: Template, order: Ordered): ExpandedNames {
  const ordered = order?.identifiers.find(isDeviceIdentifier);
  const name = ordered === undefined || acme?.embedIdentifier !== true ? null : deviceNameOf(ordered);
  return name === null ? names : { ...names, subjectAltName: [...names.subjectAltName, name] };
}

/** The certificate that an order of a device renews: by which name it was ordered then is no name that this one must have. */
export function withoutDeviceName(presenter: PresenterObservation, order: Ordered): PresenterObservation {
  if (order?.identifiers.some(isDeviceIdentifier) !== true) return presenter;
  return { ...presenter, subjectAltName: presenter.subjectAltName.filter((name) => !isDeviceName(name)) };
}

function deviceNameOf(ordered: OrderIdentifier): GeneralName | null {
  const { value = '', oid = null } = deviceIdentifierParts(ordered) ?? {};
  if (value === '') return null;
  if (ordered.type === 'permanent-identifier') return encodePermanentIdentifier(value, oid);
  const serialNumber = hardwareSerialNumberOctets(orderedSerialNumber(value));
  return oid === null ? null : encodeHardwareModuleName({ hardwareType: oid, serialNumber });
}
