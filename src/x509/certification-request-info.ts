import type { Der } from './der-node.ts';
import { der } from './der-writer.ts';
import { type Extension, encodeExtensions } from './extensions/extension.ts';
import { type Name, encodeName } from './name.ts';
import { oids } from './oids.ts';
import type { RequestAttribute } from './request-attributes.ts';

export interface CertificationRequestInfoFields {
  readonly subject: Name;
  readonly spki: Der;
  readonly attributes?: readonly RequestAttribute[];
  /** Become an extensionRequest where there are any. */
  readonly extensions?: readonly Extension[];
  readonly challengePassword?: string;
}

/** CertificationRequestInfo (RFC 2986 section 4.1), to be signed by the key it is for. */
export function encodeCertificationRequestInfo(fields: CertificationRequestInfoFields): Der {
  const attributes = [...(fields.attributes ?? [])];
  if (fields.extensions !== undefined && fields.extensions.length > 0) {
    attributes.push({ oid: oids.extensionRequest, values: [encodeExtensions(fields.extensions)] });
  }
  if (fields.challengePassword !== undefined) {
    attributes.push({ oid: oids.challengePassword, values: [der.utf8String(fields.challengePassword)] });
  }
  const set = der.set(...attributes.map(({ oid, values }) => der.sequence(der.oid(oid), der.set(...values))));
  return der.sequence(der.integer(0), encodeName(fields.subject), fields.spki, der.implicit(0, set));
}
