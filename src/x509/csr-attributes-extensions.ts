import { SallyportError } from '#errors';
import type { CsrAttributesWishes, GeneralNameWish } from './csr-attributes-wishes.ts';
import type { Der } from './der-node.ts';
import { der } from './der-writer.ts';
import type { Extension } from './extensions/extension.ts';
import { encodeKeyUsage } from './extensions/key-usage.ts';
import { encodeExtendedKeyUsage } from './extensions/oid-list.ts';
import { encodeGeneralName } from './general-name.ts';
import { extensionOids } from './oids.ts';

/** An extension that a request is to have. `partial`: the client fills in a part of the value. */
export interface ExtensionWish extends Extension {
  readonly partial: boolean;
}

/** Tags of the GeneralName choices that a wish may leave empty. */
const generalNameTags = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

/**
 * The extensions of the wishes, none of them twice: an Extensions structure "MUST NOT include more than one element with a
 * particular extnID" (RFC 9908 section 3.2). Throws `malformed` otherwise, and as the encoders of the values do.
 */
export function extensionWishes(wishes: CsrAttributesWishes): readonly ExtensionWish[] {
  const { keyUsage, extendedKeyUsage, subjectAltName } = wishes;
  const extensions: ExtensionWish[] = [];
  if (keyUsage.length > 0) extensions.push(whole(extensionOids.keyUsage, true, encodeKeyUsage(keyUsage)));
  if (extendedKeyUsage.length > 0) {
    const value = encodeExtendedKeyUsage(extendedKeyUsage);
    extensions.push(whole(extensionOids.extendedKeyUsage, false, value));
  }
  if (subjectAltName.length > 0) extensions.push(subjectAltNameWish(subjectAltName));
  for (const { oid, critical, value } of wishes.extensions) extensions.push(whole(oid, critical, value));
  requireOnce(extensions);
  return extensions;
}

function whole(oid: string, critical: boolean, value: Uint8Array): ExtensionWish {
  return { oid, critical, value, partial: false };
}

/** Not critical, for a subject that nothing is said of is not an empty one (RFC 5280 section 4.2.1.6). */
function subjectAltNameWish(names: readonly GeneralNameWish[]): ExtensionWish {
  return {
    oid: extensionOids.subjectAltName,
    critical: false,
    value: der.sequence(...names.map(encodeGeneralNameWish)),
    partial: names.some(({ value }) => value === null),
  };
}

/** RFC 9908 section 3.4: an empty value "means that the client SHOULD fill in the respective GeneralName value". */
function encodeGeneralNameWish({ kind, value }: GeneralNameWish): Der {
  if (value !== null) return encodeGeneralName({ kind, value });
  return der.implicit(generalNameTags[kind], der.octetString(new Uint8Array()));
}

function requireOnce(extensions: readonly ExtensionWish[]): void {
  const seen = new Set<string>();
  for (const { oid } of extensions) {
    if (seen.has(oid)) throw new SallyportError('malformed', `CSR attributes: extension ${oid} twice`);
    seen.add(oid);
  }
}
