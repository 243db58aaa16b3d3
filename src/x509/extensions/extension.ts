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
  const extensions = listOf(node);
  if (extensions.length === 0) throw new SallyportError('malformed', 'Extensions: empty');
  // X.690 section 11.5: a component with its default value is not encoded.
  if (extensions.some(({ writesFalse }) => writesFalse)) {
    throw new SallyportError('malformed', 'Extension: critical FALSE is written out');
  }
  return extensions.map(({ extension }) => extension);
}

/**
 * Those that a request asks for. None may be listed, as an appliance does (pkix.net issue 5) and Windows reads it, and critical FALSE may be
 * written out, as certmonger does (pyca/cryptography issue 6368). Either has one reading, and nothing of a request is copied.
 */
export function requestedExtensionsOf(node: DerNode): Extension[] {
  return listOf(node).map(({ extension }) => extension);
}

interface ReadExtension {
  readonly extension: Extension;
  /** critical FALSE stands there, which is its default. */
  readonly writesFalse: boolean;
}

function listOf(node: DerNode): ReadExtension[] {
  const list = node.sequence('Extensions');
  const oids = new Set<string>();
  const extensions: ReadExtension[] = [];
  while (list.more) {
    if (extensions.length === maximumExtensions) {
      throw new SallyportError('too-large', `Extensions: more than ${maximumExtensions}`);
    }
    const read = extensionOf(list.next());
    const { oid } = read.extension;
    if (oids.has(oid)) throw new SallyportError('malformed', `Extensions: ${oid} twice`);
    oids.add(oid);
    extensions.push(read);
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

function extensionOf(node: DerNode): ReadExtension {
  const fields = node.sequence('Extension');
  const oid = fields.next().oid('extnID');
  const critical = fields.optional(tags.boolean)?.boolean('critical');
  const value = fields.next().octetString('extnValue');
  fields.finish();
  return { extension: { oid, critical: critical ?? false, value }, writesFalse: critical === false };
}

function encodeExtension({ oid, critical, value }: Extension): Der {
  return critical
    ? der.sequence(der.oid(oid), der.boolean(true), der.octetString(value))
    : der.sequence(der.oid(oid), der.octetString(value));
}
