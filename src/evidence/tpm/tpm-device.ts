import { type GeneralName, oids } from '#x509';
import { tpmVendors } from './vendors.ts';

/** A kind of TPM, as certificates name it (TCG EK Credential Profile section 3.2.9). */
export interface TpmDevice {
  /** Eight upper-case hexadecimal digits: the manufacturer's id. */
  readonly manufacturer: string;
  /** Whether TCG knows that manufacturer: a software TPM has an id of nobody. */
  readonly registered: boolean;
  readonly model: string;
  /** Hexadecimal as it stands there, mostly of the firmware: `00470004`, but also `13`. */
  readonly version: string;
}

/** null unless each of the three is there once. One RDN holds them all or each its own: makers do it either way. */
export function tpmDeviceOf(names: readonly GeneralName[]): TpmDevice | null {
  const found = names.flatMap((name) => (name.kind === 'directoryName' ? name.value.flat() : []));
  const [manufacturer, model, version] = [oids.tpmManufacturer, oids.tpmModel, oids.tpmVersion].map((oid) => {
    const values = found.filter(({ type }) => type === oid);
    return values.length === 1 ? values[0]!.value : undefined;
  });
  const id = /^id:([0-9A-F]{8})$/i.exec(manufacturer ?? '')?.[1]?.toUpperCase();
  const digits = /^id:([0-9A-F]{1,16})$/i.exec(version ?? '')?.[1];
  if (id === undefined || digits === undefined || model === undefined) return null;
  return { manufacturer: id, registered: tpmVendors.has(id), model, version: digits };
}
