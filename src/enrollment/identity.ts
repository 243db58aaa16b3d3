import type { Template } from '#ca';
import { attributeTypes, type Name, oids } from '#x509';
import type { PresenterObservation } from './observations.ts';
import type { IdentityReference, References } from './references.ts';
import type { DeviceKey } from './store.ts';

/**
 * The configured identity that a client certificate belongs to: one on the list itself, before one whose path ends at its CAs. In that order
 * whatever the order of the configuration, which the recorded references do not keep.
 */
export function identityOf(
  { sha256, path }: Pick<PresenterObservation, 'sha256' | 'path'>,
  references: References,
): IdentityReference | null {
  const identities = Object.values(references.identities);
  const above = path.slice(1).map((certificate) => certificate.sha256);
  const listed = identities.find(({ kind, certificates }) => kind === 'ra' && certificates.includes(sha256));
  if (listed !== undefined) return listed;
  const issuing = identities.find(
    ({ kind, certificates }) => kind !== 'ra' && above.some((ca) => certificates.includes(ca)),
  );
  return issuing ?? null;
}

/**
 * Which device it names, the first place of `from` where anything stands; what cannot be read there names none, and no later place makes up
 * for it. A registration authority's request names the device, not its certificate.
 */
export function namedDevice(
  identity: IdentityReference,
  presenter: Pick<PresenterObservation, 'subject' | 'subjectAltName' | 'hardwareModule'>,
  requested: Name,
): DeviceKey | null {
  const ofRequest = identity.kind === 'ra';
  for (const place of identity.from) {
    const values =
      place === 'hardwareModuleName'
        ? hardwareModules(identity, ofRequest ? null : presenter)
        : valuesOf(ofRequest ? requested : presenter.subject, place);
    // Of two values of one attribute nobody knows which one counts.
    if (values.length > 0) return keyOf(identity, values.length === 1 ? values[0]! : null);
  }
  return null;
}

/** By the one value of the attribute in the subject of a request; null where there is none, or several. */
export function requestedDevice(
  { column, from }: NonNullable<Template['requestedDevice']>,
  subject: Name,
): DeviceKey | null {
  const values = valuesOf(subject, from);
  return values.length === 1 && values[0] !== '' ? { column, value: values[0]! } : null;
}

function keyOf({ device }: IdentityReference, value: string | null): DeviceKey | null {
  return value === null || value === '' ? null : { column: device, value };
}

/** One value for each name of the SAN: null where it was not understood, alone or beside others, or is of a type that is not listed. */
function hardwareModules(
  { hardwareTypes }: IdentityReference,
  presenter: Pick<PresenterObservation, 'subjectAltName' | 'hardwareModule'> | null,
): (string | null)[] {
  if (presenter === null) return [];
  const names = presenter.subjectAltName.filter(
    (name) => name.kind === 'otherName' && name.type === oids.hardwareModuleName,
  );
  const { hardwareModule } = presenter;
  if (hardwareModule === null) return names.map(() => null);
  const { type, serialNumber } = hardwareModule;
  const isListed = hardwareTypes === null || hardwareTypes.includes(type);
  return names.map(() => (isListed ? serialNumber : null));
}

function valuesOf(subject: Name, attribute: 'serialNumber' | 'commonName'): string[] {
  const values = subject.flat().filter(({ type }) => type === attributeTypes[attribute]);
  return values.map(({ value }) => value);
}
