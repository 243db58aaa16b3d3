import { SallyportError } from '#errors';
import { type Der, readDer } from '../der-node.ts';
import { tags } from '../der-tags.ts';
import { der } from '../der-writer.ts';

/** RFC 5280 section 4.2.1.9. */
export interface BasicConstraints {
  readonly ca: boolean;
  /** Only with `ca`. Absent: no limit. */
  readonly pathLength?: number;
}

export function encodeBasicConstraints({ ca, pathLength }: BasicConstraints): Der {
  if (!ca && pathLength !== undefined) {
    throw new SallyportError('malformed', 'BasicConstraints: a path length is for CAs only');
  }
  if (!ca) return der.sequence();
  return pathLength === undefined
    ? der.sequence(der.boolean(true))
    : der.sequence(der.boolean(true), der.integer(pathLength));
}

export function parseBasicConstraints(value: Uint8Array): BasicConstraints {
  const fields = readDer(value).sequence('BasicConstraints');
  const ca = fields.optional(tags.boolean)?.boolean('cA');
  // X.690 section 11.5: a component with its default value is not encoded.
  if (ca === false) throw new SallyportError('malformed', 'BasicConstraints: cA FALSE is written out');
  const pathLength = fields.optional(tags.integer)?.smallInteger('pathLenConstraint');
  fields.finish();
  if (pathLength === undefined) return { ca: ca ?? false };
  if (ca === undefined) throw new SallyportError('malformed', 'BasicConstraints: a path length without cA');
  return { ca, pathLength };
}
