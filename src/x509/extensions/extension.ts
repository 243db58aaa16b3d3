import { SallyportError } from '#errors';
import type { Der, DerNode } from '../der-node.ts';
import { tags } from '../der-tags.ts';
import { der } from '../der-writer.ts';

export interface Extension {
  /** Dotted OID. */
  readonly oid: string;
  readonly critical: boolean;
  /** The DER inside the OCTET STRING. */
  readonly value: Uint8Array;
}

const maximumExtensions = 64;

/** Extensions: SEQUENCE SIZE (1..MAX) OF Extension, no OID twice (RFC 5280 section 4.2). */
export function extensionsOf(node: DerNode): Extension[] {
  const list = node.sequence('Extensions');
  if (!list.more) throw new SallyportError('malformed', 'Extensions: empty');
  const extensions: Extension[] = [];
  while (list.more) {
    if (extensions.length === maximumExtensions) {
      throw new SallyportError('too-large', `Extensions: more than ${maximumExtensions}`);
    }
    const extension = extensionOf(list.next());
    if (findExtension(extensions, extension.oid) !== null) {
      throw new SallyportError('malformed', `Extensions: ${extension.oid} twice`);
    }
    extensions.push(extension);
  }
  return extensions;
}

export function encodeExtensions(extensions: readonly Extension[]): Der {
  return der.sequence(...extensions.map(encodeExtension));
}

/** The value of the extension with this OID, or null. */
export function findExtension(extensions: readonly Extension[], oid: string): Uint8Array | null {
  for (const extension of extensions) if (extension.oid === oid) return extension.value;
  return null;
}

function extensionOf(node: DerNode): Extension {
  const fields = node.sequence('Extension');
  const oid = fields.next().oid('extnID');
  const critical = fields.optional(tags.boolean)?.boolean('critical');
  // X.690 section 11.5: a component with its default value is not encoded.
  if (critical === false) throw new SallyportError('malformed', 'Extension: critical FALSE is written out');
  const value = fields.next().octetString('extnValue');
  fields.finish();
  return { oid, critical: critical ?? false, value };
}

function encodeExtension({ oid, critical, value }: Extension): Der {
  return critical
    ? der.sequence(der.oid(oid), der.boolean(true), der.octetString(value))
    : der.sequence(der.oid(oid), der.octetString(value));
}
