import { timingSafeEqual } from 'node:crypto';
import type { RequestObservation } from './observations.ts';
import type { ChannelBindings } from './request.ts';

/** verify_data of TLS 1.2 (RFC 5246 section 7.4.9), and what RFC 9266 exports. */
const tlsUniqueBytes = 12;
const tlsExporterBytes = 32;

/**
 * What a challengePassword is to its connection (RFC 7030 section 3.5: tls-unique in base64; RFC 9266 for TLS 1.3). People and other systems
 * put other things there; those bind nothing, and contradict nothing.
 */
export function observeChannelBinding(
  challengePassword: string | null,
  bindings: () => ChannelBindings,
): RequestObservation['channelBinding'] {
  if (challengePassword === null) return 'absent';
  const value = bytesOf(challengePassword);
  if (value === null) return 'other';
  const { tlsUnique, tlsExporter, finished } = bindings();
  if (tlsUnique !== null && value.length === tlsUniqueBytes) {
    return same(value, tlsUnique) ? 'tls-unique' : 'foreign';
  }
  if (tlsExporter !== null && value.length === tlsExporterBytes) {
    if (same(value, tlsExporter)) return 'tls-exporter';
    return finished.some((each) => same(value, each)) ? 'other' : 'foreign';
  }
  return 'other';
}

function bytesOf(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]{16,64}={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  return Buffer.from(text, 'base64');
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
