import type { GivenNonce } from '#enrollment';
import { SallyportError } from '#errors';
import { EstError } from './problems.ts';

/** draft-ietf-lamps-attestation-freshness section 5: what both bodies are. */
export const nonceMediaType = 'application/est-attestation-freshness+json';

/** `type`: of the evidence that is to hold it, as the client said; null: it did not. */
export type NonceAnswer = GivenNonce & { readonly type: string | null };

const defaultLength = 32;
const [shortest, longest] = [8, 64];
/** Fewer random octets could be guessed: who asks for them gets a nonce that cannot. */
const leastLength = 16;

/** Of a POST; a GET has no body. Members that we do not know are ignored. Throws 'malformed'. */
export function nonceRequest(
  body: Uint8Array | null,
  contentType: string,
): { readonly length: number; readonly type: string | null } {
  if (body === null || body.length === 0) return { length: defaultLength, type: null };
  if (contentType.split(';', 1)[0]!.trim().toLowerCase() !== nonceMediaType) {
    throw new EstError(415, `the Content-Type of a request for a nonce is ${nonceMediaType}`);
  }
  const { len = defaultLength, type = null } = objectOf(body);
  if (typeof len !== 'number' || !Number.isInteger(len) || len < shortest || len > longest) {
    throw new SallyportError('malformed', `len must be a whole number from ${shortest} to ${longest}`);
  }
  if (type !== null && (typeof type !== 'string' || !/^[0-2](?:\.\d{1,20}){1,30}$/.test(type))) {
    throw new SallyportError('malformed', 'type must be a dotted OID');
  }
  return { length: Math.max(len, leastLength), type };
}

export function nonceBody({ nonce, expiresInSeconds, type }: NonceAnswer): string {
  return JSON.stringify({
    nonce: Buffer.from(nonce).toString('base64url'),
    expiry: expiresInSeconds,
    ...(type === null ? {} : { type }),
  });
}

function objectOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new SallyportError('malformed', 'the request for a nonce is no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SallyportError('malformed', 'the request for a nonce is no JSON object');
  }
  return value as Record<string, unknown>;
}
