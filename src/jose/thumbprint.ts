import { hash } from 'node:crypto';
import type { Jwk } from './jwk.ts';

/** RFC 7638 section 3 with SHA-256, in base64url: the account key's part of a key authorization (RFC 8555 section 8.1). */
export function thumbprint({ canonical }: Jwk): string {
  return hash('sha256', canonical, 'base64url');
}
