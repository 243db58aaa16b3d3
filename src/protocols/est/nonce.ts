import type { GivenNonce } from '#enrollment';
import { SallyportError } from '#errors';
import { EstError } from './problems.ts';

/** draft-ietf-lamps-attestation-freshness section 5: what both bodies are. */
export const nonceMediaType = 'application/est-attestation-freshness+json';

/** What the client said of the evidence that is to hold it, and gets back: as drafts to -07 have it, or in an object of its own as later ones. */
export interface AskedType {
  readonly form: 'flat' | 'nested';
  /** Dotted OID. */
  readonly type: string;
}

export type NonceAnswer = GivenNonce & { readonly asked: AskedType | null };

const defaultLength = 32;
const [shortest, longest] = [8, 64];
/** Fewer random octets could be guessed: who asks for them gets a nonce that cannot. */
const leastLength = 16;

/** Of a POST; a GET has no body. Members that we do not know are ignored. Throws 'malformed'. */
export function nonceRequest(
  body: Uint8Array | null,
  contentType: string,
): { readonly length: number; readonly asked: AskedType | null } {
  if (body === null || body.length === 0) return { length: defaultLength, asked: null };
  if (contentType.split(';', 1)[0]!.trim().toLowerCase() !== nonceMediaType) {
    throw new EstError(415, `the Content-Type of a request for a nonce is ${nonceMediaType}`);
  }
  const { len = defaultLength, type = null, reqTypeInfo = null } = objectOf(body);
  if (typeof len !== 'number' || !Number.isInteger(len) || len < shortest || len > longest) {
    throw new SallyportError('malformed', `len must be a whole number from ${shortest} to ${longest}`);
  }
  const { type: nested = null } = Object(reqTypeInfo) as Record<string, unknown>;
  const asked = nested === null ? askedType('flat', type) : askedType('nested', nested);
  return { length: Math.max(len, leastLength), asked };
}

function askedType(form: AskedType['form'], type: unknown): AskedType | null {
  if (type === null) return null;
  // A UUID below 2.25 has 39 digits.
  if (typeof type === 'string' && /^[0-2](?:\.\d{1,39}){1,30}$/.test(type)) return { form, type };
  throw new SallyportError('malformed', 'type must be a dotted OID');
}

export function nonceBody({ nonce, expiresInSeconds, asked }: NonceAnswer): string {
  const type = asked === null ? {} : { type: asked.type };
  return JSON.stringify({
    nonce: Buffer.from(nonce).toString('base64url'),
    expiry: expiresInSeconds,
    ...(asked?.form === 'nested' ? { respTypeInfo: type } : type),
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
