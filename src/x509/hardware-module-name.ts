import { SallyportError } from '#errors';
import { der } from './der-writer.ts';
import { type GeneralName, type OtherName, otherNameValue } from './general-name.ts';
import { oids } from './oids.ts';

/** A device by the model of its maker and its serial number, which together are unique. */
export interface HardwareModuleName {
  /** hwType: a dotted OID. */
  readonly hardwareType: string;
  /** hwSerialNum, as its maker writes it: text, a number or a MAC address. */
  readonly serialNumber: Uint8Array;
}

/** RFC 4108 gives no bound; 802.1AR devices have a few dozen octets. */
const maximumSerialNumberBytes = 256;

/**
 * The one id-on-hardwareModuleName of the names (RFC 4108 section 5), null where there is none. Throws `malformed` where
 * there are several, for none of them would be the device, or where it does not parse; `too-large` beyond 256 octets.
 */
export function hardwareModuleNameOf(names: readonly GeneralName[]): HardwareModuleName | null {
  const modules = names.filter(isHardwareModuleName);
  const [module] = modules;
  if (module === undefined) return null;
  if (modules.length > 1) {
    throw new SallyportError('malformed', 'hardwareModuleName: several of them, so none names the device');
  }
  const fields = otherNameValue(module).sequence('HardwareModuleName');
  const hardwareType = fields.next().oid('hwType');
  const serialNumber = fields.next().octetString('hwSerialNum');
  fields.finish();
  requireSerialNumber(serialNumber.length);
  return { hardwareType, serialNumber };
}

/** As operators write it into the inventory: as text where it is some, else in hex, marked so that no text is the same. */
export function hardwareSerialNumberText(serialNumber: Uint8Array): string {
  const text = Buffer.from(serialNumber).toString('latin1');
  const isText = /^[\x21-\x7e]+$/.test(text) && !text.startsWith('hex:');
  return isText ? text : `hex:${serialNumber.toHex()}`;
}

/** Such a text of one that people wrote: in hex already, or the octets of its UTF-8. null: it begins as hex does, and is none. */
export function hardwareSerialNumberOf(written: string): string | null {
  if (!written.startsWith('hex:')) return hardwareSerialNumberText(Buffer.from(written));
  return /^hex:(?:[0-9a-f]{2})+$/.test(written) ? written : null;
}

/** The octets of such a text. */
export function hardwareSerialNumberOctets(text: string): Uint8Array {
  return text.startsWith('hex:')
    ? Uint8Array.fromHex(text.slice(4))
    : new Uint8Array(Buffer.from(text, 'latin1'));
}

export function encodeHardwareModuleName({
  hardwareType,
  serialNumber,
}: HardwareModuleName): GeneralName & { readonly kind: 'otherName' } {
  return {
    kind: 'otherName',
    type: oids.hardwareModuleName,
    value: der.sequence(der.oid(hardwareType), der.octetString(serialNumber)).toBase64(),
  };
}

function isHardwareModuleName(name: GeneralName): name is OtherName {
  return name.kind === 'otherName' && name.type === oids.hardwareModuleName;
}

function requireSerialNumber(octets: number): void {
  if (octets === 0) throw new SallyportError('malformed', 'hwSerialNum: empty');
  if (octets > maximumSerialNumberBytes) {
    throw new SallyportError('too-large', `hwSerialNum of ${octets} octets`);
  }
}
