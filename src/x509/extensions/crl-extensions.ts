import { SallyportError } from '#errors';
import { type Der, readDer } from '../der-node.ts';
import { tags } from '../der-tags.ts';
import { der } from '../der-writer.ts';

/** CRLNumber (RFC 5280 section 5.2.3): at most 20 octets. */
export function encodeCrlNumber(number: bigint): Der {
  if (number < 0n || number >= 1n << 159n) throw new SallyportError('malformed', 'CRLNumber: 0 to 20 octets');
  return der.integer(number);
}

export function parseCrlNumber(value: Uint8Array): bigint {
  const node = readDer(value);
  if (node.unsignedBytes('CRLNumber').length > 20) {
    throw new SallyportError('too-large', 'CRLNumber: over 20 octets');
  }
  return node.integer('CRLNumber');
}

/** CRLReason (RFC 5280 section 5.3.1): 0 to 10 without 7. */
export function encodeReasonCode(reason: number): Der {
  requireReason(reason);
  return der.enumerated(reason);
}

export function parseReasonCode(value: Uint8Array): number {
  const reason = readDer(value).smallInteger('CRLReason', tags.enumerated);
  requireReason(reason);
  return reason;
}

function requireReason(reason: number): void {
  if (!Number.isInteger(reason) || reason < 0 || reason > 10 || reason === 7) {
    throw new SallyportError('malformed', `CRLReason: ${reason} is not in use`);
  }
}
