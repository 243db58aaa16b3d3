import { isIP } from 'node:net';
import { identifierProblem } from './identifier.ts';

/** What a URL says, read once. */
export interface HttpTarget {
  readonly scheme: 'http' | 'https';
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
}

export interface Ports {
  readonly httpPort: number;
  readonly tlsPort: number;
}

/**
 * RFC 8555 section 10.4: a redirect may "cause the server to query an arbitrary URL". Here it leads to the ports of http and https alone. What is wrong with it in words that hold nothing of
 * it; `location` is null where there is none.
 */
export function redirectTarget(location: string | null, from: HttpTarget, ports: Ports): HttpTarget | string {
  const url = location === null ? null : URL.parse(location, urlOf(from));
  if (url === null) return 'has no location that can be read';
  const { protocol } = url;
  if (protocol !== 'http:' && protocol !== 'https:') return 'leads to something else than http and https';
  if (url.username !== '' || url.password !== '') return 'holds user information';
  const scheme = protocol === 'http:' ? 'http' : 'https';
  const port = scheme === 'http' ? ports.httpPort : ports.tlsPort;
  if (url.port !== '' && Number(url.port) !== port) return 'leads to another port';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0 && identifierProblem({ type: 'dns', value: host }) !== null) {
    return 'leads to no host name';
  }
  return { scheme, host, port, path: url.pathname + url.search };
}

/** RFC 9110 section 7.2: the port where it is not the scheme's own. */
export function hostField({ scheme, host, port }: HttpTarget): string {
  const authority = isIP(host) === 6 ? `[${host}]` : host;
  return port === (scheme === 'http' ? 80 : 443) ? authority : `${authority}:${port}`;
}

function urlOf(target: HttpTarget): string {
  return `${target.scheme}://${hostField(target)}${target.path}`;
}
