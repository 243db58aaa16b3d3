/** What a path names. RFC 8555 section 7.1; every resource but the directory is found by links. */
export interface AcmeTarget {
  readonly resource: Resource | null;
  /** Of a directory, and of what is found by it; null: of the one that has all templates as profiles. */
  readonly template: string | null;
  /** The parts of the path after the resource. */
  readonly parts: readonly string[];
  readonly path: string;
  readonly query: string;
}

const ofDirectory = [
  'directory',
  'new-nonce',
  'new-account',
  'new-order',
  'revoke-cert',
  'key-change',
  'renewal-info',
] as const;
const ofId = ['account', 'order', 'authorization', 'challenge', 'certificate'] as const;

export type Resource = (typeof ofDirectory)[number] | (typeof ofId)[number];

const prefix = '/acme/';

export function isAcmeTarget(url: string): boolean {
  return pathOf(url).path.startsWith(prefix);
}

/** `/acme/directory`, `/acme/<template>/directory`, `/acme/order/<id>`. A template may have the name of a resource: what has an id is none. */
export function parseTarget(url: string): AcmeTarget {
  const { path, query } = pathOf(url);
  const [first = '', ...rest] = path.slice(prefix.length).split('/');
  const none = { resource: null, template: null, parts: [], path, query };
  if (!path.startsWith(prefix)) return none;
  const named = (name: string | undefined) => ofDirectory.find((each) => each === name);
  const shared = named(first);
  if (shared !== undefined && rest.length === (shared === 'renewal-info' ? 1 : 0)) {
    return { resource: shared, template: null, parts: rest, path, query };
  }
  const [second, ...after] = rest;
  const ofTemplate = named(second);
  if (ofTemplate !== undefined && after.length === (ofTemplate === 'renewal-info' ? 1 : 0)) {
    return { resource: ofTemplate, template: first, parts: after, path, query };
  }
  const byId = ofId.find((each) => each === first);
  if (byId !== undefined && rest.length >= 1 && rest.length <= 2) {
    return { resource: byId, template: null, parts: rest, path, query };
  }
  return none;
}

/** "A server MUST accept the absolute-form in requests" (RFC 9112 section 3.2.2). */
function pathOf(url: string): { path: string; query: string } {
  const target = url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  return mark < 0
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
