import { SallyportError } from '#errors';
import { readDer } from './der-node.ts';
import { tags } from './der-tags.ts';
import { der } from './der-writer.ts';
import type { GeneralName } from './general-name.ts';
import { oids } from './oids.ts';

const maximumOctets = 256;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** RFC 4043: value, and the OID of who assigns it where it names one. */
export interface PermanentIdentifier {
  readonly value: string;
  readonly assigner: string | null;
}

/**
 * The one PermanentIdentifier of the names, null where there is none, or none with a value of its own. Throws `malformed` where there are several,
 * for none of them would be the device, or where it does not parse.
 */
export function permanentIdentifierOf(names: readonly GeneralName[]): PermanentIdentifier | null {
  const found = names.filter((name) => name.kind === 'otherName' && name.type === oids.permanentIdentifier);
  const [name] = found;
  if (name?.kind !== 'otherName') return null;
  if (found.length > 1) {
    throw new SallyportError('malformed', 'permanentIdentifier: several of them, so none names the device');
  }
  const fields = readDer(Uint8Array.fromBase64(name.value)).sequence('PermanentIdentifier');
  const value = fields.optional(tags.utf8String)?.content ?? null;
  const assigner = fields.optional(tags.oid)?.oid('assigner') ?? null;
  fields.finish();
  return value === null ? null : { value: textOf(value), assigner };
}

/** A name whose value is this, and the dotted OID of who assigned it, if anybody. */
export function encodePermanentIdentifier(
  value: string,
  assigner: string | null = null,
): GeneralName & { readonly kind: 'otherName' } {
  const assigned = assigner === null ? [] : [der.oid(assigner)];
  return {
    kind: 'otherName',
    type: oids.permanentIdentifier,
    value: der.sequence(der.utf8String(value), ...assigned).toBase64(),
  };
}

function textOf(octets: Uint8Array): string {
  if (octets.length === 0 || octets.length > maximumOctets) {
    throw new SallyportError('malformed', `identifierValue: of ${octets.length} octets`);
  }
  try {
    return utf8.decode(octets);
  } catch (cause) {
    throw new SallyportError('malformed', 'identifierValue: not UTF-8', { cause });
  }
}
