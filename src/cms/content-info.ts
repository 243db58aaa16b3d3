import { SallyportError } from '#errors';
import { type Der, type DerLimits, type DerNode, contextConstructed, der, readDer } from '#x509';

/** What a CMS message protects: a value and the content type that says how to read it (RFC 5652 section 3). */
export interface Content {
  /** Dotted OID. */
  readonly type: string;
  /** For `id-signedData` a SignedData, not the ContentInfo around it: `parseContentInfo` gives that. */
  readonly bytes: Der;
}

export const messageLimits: DerLimits = {
  maximumBytes: 1024 * 1024,
  maximumDepth: 32,
  maximumElements: 65_536,
};

/** ContentInfo (RFC 5652 section 3). */
export function encodeContentInfo({ type, bytes }: Content): Der {
  return der.sequence(der.oid(type), der.explicit(0, bytes));
}

/**
 * The content of a ContentInfo, ready to be put into another message: CMS types nest by their values (RFC 5652 section 3).
 * A view of `bytes`. Throws `malformed` or `too-large`.
 */
export function parseContentInfo(bytes: Der): Content {
  const { type, content } = contentInfoOf(bytes);
  return { type, bytes: content.der };
}

export function contentInfoOf(bytes: Der): { type: string; content: DerNode } {
  const fields = readDer(bytes, messageLimits).sequence('ContentInfo');
  const type = fields.next().oid('contentType');
  const explicit = fields.next();
  fields.finish();
  if (explicit.tag !== contextConstructed(0)) {
    throw new SallyportError('malformed', 'ContentInfo: content is not [0]');
  }
  const inside = explicit.children('content');
  const content = inside.next();
  inside.finish();
  return { type, content };
}
