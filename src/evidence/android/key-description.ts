import { SallyportError } from '#errors';
import { readDer, tags } from '#x509';
import { statementText } from '../statement-text.ts';
import {
  type AndroidClaims,
  type RootOfTrust,
  type SecurityLevel,
  keyOrigins,
  keyPurposes,
  verifiedBootStates,
} from './claims.ts';
import {
  type Element,
  contextConstructed,
  readElement,
  readElements,
  universal,
  universalConstructed,
} from './high-tag-der.ts';

/** https://source.android.com/docs/security/features/keystore/attestation#schema */
export interface KeyDescription {
  readonly attestationVersion: number;
  readonly attestationSecurityLevel: SecurityLevel;
  readonly keyMintVersion: number;
  readonly keyMintSecurityLevel: SecurityLevel;
  readonly attestationChallenge: Uint8Array;
  readonly tagsInOrder: boolean;
  readonly hardwareEnforced: AuthorizationList;
}

export interface AuthorizationList extends Pick<
  AndroidClaims,
  | 'origin'
  | 'purposes'
  | 'rootOfTrust'
  | 'osVersion'
  | 'osPatchLevel'
  | 'vendorPatchLevel'
  | 'bootPatchLevel'
  | 'brand'
  | 'device'
  | 'product'
  | 'manufacturer'
  | 'model'
> {
  readonly serial: string | null;
  readonly imei: string | null;
  readonly secondImei: string | null;
  readonly meid: string | null;
}

const securityLevels = ['software', 'tee', 'strongbox'] as const;

/** Throws `malformed`, `unsupported` or `too-large`. */
export function parseKeyDescription(bytes: Uint8Array): KeyDescription {
  const fields = readElements(sequenceContent(bytes, 'KeyDescription'), 'KeyDescription');
  if (fields.length !== 8) throw new SallyportError('malformed', 'KeyDescription: has not eight fields');
  const field = (at: number): Uint8Array => fields[at]!.der;
  readDer(field(5)).octetString('uniqueId');
  const softwareEnforced = taggedContents(field(6), 'softwareEnforced');
  const hardwareEnforced = taggedContents(field(7), 'hardwareEnforced');
  return {
    attestationVersion: readDer(field(0)).smallInteger('attestationVersion'),
    attestationSecurityLevel: enumerated(field(1), securityLevels, 'attestationSecurityLevel'),
    keyMintVersion: readDer(field(2)).smallInteger('keyMintVersion'),
    keyMintSecurityLevel: enumerated(field(3), securityLevels, 'keyMintSecurityLevel'),
    attestationChallenge: readDer(field(4)).octetString('attestationChallenge'),
    tagsInOrder: ascends(softwareEnforced) && ascends(hardwareEnforced),
    hardwareEnforced: authorizationListOf(hardwareEnforced),
  };
}

/** Tags that are not read here, unknown ones among them, are passed over. */
function authorizationListOf(list: ReadonlyMap<number, Uint8Array>): AuthorizationList {
  function read<T>(tag: number, reader: (content: Uint8Array, what: string) => T): T | null {
    const content = list.get(tag);
    return content === undefined ? null : reader(content, `hardwareEnforced [${tag}]`);
  }
  return {
    origin: read(702, originOf),
    purposes: read(1, purposesOf) ?? [],
    rootOfTrust: read(704, rootOfTrustOf),
    osVersion: read(705, integerOf),
    osPatchLevel: read(706, patchLevelOf),
    vendorPatchLevel: read(718, patchLevelOf),
    bootPatchLevel: read(719, patchLevelOf),
    brand: read(710, textOf),
    device: read(711, textOf),
    product: read(712, textOf),
    manufacturer: read(716, textOf),
    model: read(717, textOf),
    serial: read(713, textOf),
    imei: read(714, textOf),
    secondImei: read(723, textOf),
    meid: read(715, textOf),
  };
}

/** By tag number, in the order in which they stand. Each is EXPLICIT and there once: of two, readers would take different ones. */
function taggedContents(list: Uint8Array, what: string): ReadonlyMap<number, Uint8Array> {
  const contents = new Map<number, Uint8Array>();
  for (const { kind, tagNumber, content } of readElements(sequenceContent(list, what), what)) {
    if (kind !== contextConstructed || contents.has(tagNumber)) {
      throw new SallyportError('malformed', `${what}: an element without its tag, or a tag twice`);
    }
    contents.set(tagNumber, content);
  }
  return contents;
}

function ascends(list: ReadonlyMap<number, unknown>): boolean {
  const numbers = [...list.keys()];
  return numbers.every((each, i) => i === 0 || numbers[i - 1]! < each);
}

function rootOfTrustOf(content: Uint8Array, what: string): RootOfTrust {
  const fields = readElements(sequenceContent(content, what), what);
  const [key, locked, state, hash, another] = fields;
  if (key === undefined || locked === undefined || state === undefined || another !== undefined) {
    throw new SallyportError('malformed', `${what}: RootOfTrust has not three or four fields`);
  }
  return {
    verifiedBootKey: readDer(key.der).octetString('verifiedBootKey').toHex(),
    deviceLocked: booleanOf(locked, 'deviceLocked'),
    verifiedBootState: enumerated(state.der, verifiedBootStates, 'verifiedBootState'),
    verifiedBootHash: hash === undefined ? null : readDer(hash.der).octetString('verifiedBootHash').toHex(),
  };
}

/** Any octet but 00 is true, as BER has it (X.690 section 8.2.2): there are devices that write 01, and Google reads them so. */
function booleanOf({ kind, tagNumber, content }: Element, what: string): boolean {
  if (kind !== universal || tagNumber !== tags.boolean || content.length !== 1) {
    throw new SallyportError('malformed', `${what}: expected BOOLEAN`);
  }
  return content[0] !== 0;
}

function originOf(content: Uint8Array, what: string): (typeof keyOrigins)[number] {
  return nameOf(integerOf(content, what), keyOrigins, what);
}

function purposesOf(content: Uint8Array, what: string): readonly string[] {
  return [...readDer(content).set(what)].map((each) => {
    const purpose = each.smallInteger(what);
    return keyPurposes[purpose] ?? String(purpose);
  });
}

/** As Google's verifier does, one that is no date is as none: the floor that asks for it objects. */
function patchLevelOf(content: Uint8Array, what: string): number | null {
  const level = integerOf(content, what);
  return /^[0-9]{4}(?:0[1-9]|1[0-2])(?:[0-9]{2})?$/.test(String(level)) ? level : null;
}

function integerOf(content: Uint8Array, what: string): number {
  return readDer(content).smallInteger(what);
}

function textOf(content: Uint8Array, what: string): string {
  return statementText(readDer(content).octetString(what), what);
}

function enumerated<T>(element: Uint8Array, names: readonly T[], what: string): T {
  return nameOf(readDer(element).smallInteger(what, tags.enumerated), names, what);
}

function nameOf<T>(value: number, names: readonly T[], what: string): T {
  const name = names[value];
  if (name === undefined) throw new SallyportError('unsupported', `${what}: ${value} means nothing to us`);
  return name;
}

function sequenceContent(bytes: Uint8Array, what: string): Uint8Array {
  return readElement(bytes, universalConstructed, 0x10, what).content;
}
