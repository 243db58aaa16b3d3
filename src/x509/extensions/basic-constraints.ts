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
  const { constraints, writesFalse } = read(value);
  // X.690 section 11.5: a component with its default value is not encoded.
  if (writesFalse) throw new SallyportError('malformed', 'BasicConstraints: cA FALSE is written out');
  return constraints;
}

/** Of a request, where cA FALSE written out asks for the same: asn1c wrote every default (its issue 181), and rcgen does for ExplicitNoCa (443). */
export function parseRequestedBasicConstraints(value: Uint8Array): BasicConstraints {
  return read(value).constraints;
}

function read(value: Uint8Array): { constraints: BasicConstraints; writesFalse: boolean } {
  const fields = readDer(value).sequence('BasicConstraints');
  const ca = fields.optional(tags.boolean)?.boolean('cA');
  const pathLength = fields.optional(tags.integer)?.smallInteger('pathLenConstraint');
  fields.finish();
  const writesFalse = ca === false;
  if (pathLength === undefined) return { constraints: { ca: ca ?? false }, writesFalse };
  if (ca !== true) throw new SallyportError('malformed', 'BasicConstraints: a path length without cA');
  return { constraints: { ca, pathLength }, writesFalse };
}
