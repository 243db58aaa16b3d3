/** The operations of RFC 7030 section 3.2.2. No template may bear one of these names, or the label could not be told from it. */
export const estOperations = [
  'cacerts',
  'simpleenroll',
  'simplereenroll',
  'csrattrs',
  'serverkeygen',
  'fullcmc',
  // draft-ietf-lamps-attestation-freshness.
  'nonce',
] as const;
export type EstOperation = (typeof estOperations)[number];

/** What is offered, and its methods. Full CMC is not. */
export const methods = {
  cacerts: 'GET',
  csrattrs: 'GET',
  simpleenroll: 'POST',
  simplereenroll: 'POST',
  serverkeygen: 'POST',
  nonce: 'GET, POST',
} as const;
methods satisfies Partial<Record<EstOperation, 'GET' | 'POST' | 'GET, POST'>>;
export type ServedOperation = keyof typeof methods;

export interface EstTarget {
  readonly operation: EstOperation;
  /** The additional path segment: a template's name. */
  readonly label: string | null;
}

const prefix = '/.well-known/est/';

/** Whether a request target is EST's to answer, where another protocol is served beside it. */
export function isEstTarget(url: string): boolean {
  return /^(?:https:\/\/[^/?]*)?\/\.well-known\/est(?:[/?]|$)/i.test(url);
}

/** Reads a request target: `/.well-known/est/<operation>` or `/.well-known/est/<label>/<operation>` (section 3.2.2). null: neither. */
export function parseTarget(url: string): EstTarget | null {
  // "a server MUST accept the absolute-form in requests" (RFC 9112 section 3.2.2).
  const path = url.replace(/^https:\/\/[^/?]*/i, '').split('?', 1)[0]!;
  if (!path.startsWith(prefix)) return null;
  const segments = path.slice(prefix.length).split('/');
  const last = segments.at(-1)!;
  const operation = estOperations.find((name) => name === last);
  if (operation === undefined || segments.length > 2) return null;
  if (segments.length === 1) return { operation, label: null };
  const label = segments[0]!;
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(label) ? { operation, label } : null;
}
