import { SallyportError } from '#errors';

/** RFC 8894 section 4. Names are compared as they are written there. */
const operations = ['GetCACaps', 'GetCACert', 'GetNextCACert', 'PKIOperation'] as const;
export type ScepOperation = (typeof operations)[number];

export interface ScepTarget {
  /** null: none that there is. */
  readonly operation: ScepOperation | null;
  /** The segment behind `/scep/`: a template, or a part of an address that means nothing. */
  readonly label: string | null;
  /** The query's message as it came, percent signs and all; null: none. */
  readonly message: string | null;
}

/**
 * Reads path and query of a request. What else is in the path means nothing (RFC 8894 section 4.1: SCEPPATH): Cisco's routers add
 * `/cgi-bin/pkiclient.exe`, Windows `/certsrv/mscep/mscep.dll`. A POST may leave out its operation (section 4.3 has only one).
 * @throws SallyportError 'malformed' where the query names one thing twice
 */
export function parseTarget(method: string, url: string): ScepTarget {
  const questionMark = url.indexOf('?');
  const [path, query] =
    questionMark < 0 ? [url, ''] : [url.slice(0, questionMark), url.slice(questionMark + 1)];
  const value = (name: string) => {
    const found = query.split('&').filter((part) => part === name || part.startsWith(`${name}=`));
    if (found.length > 1) throw new SallyportError('malformed', `the query names ${name} twice`);
    return found[0] === undefined ? null : found[0].slice(name.length + 1);
  };
  const named = value('operation') ?? (method === 'POST' ? 'PKIOperation' : null);
  const operation = operations.find((each) => each === named) ?? null;
  // "a server MUST accept the absolute-form in requests" (RFC 9112 section 3.2.2).
  const label = /^(?:https?:\/\/[^/]*)?\/scep\/([^/]+)/i.exec(path)?.[1] ?? null;
  return { operation, label, message: value('message') };
}

/**
 * The octets of a message in a GET: standard base64, percent-encoded once. Seen from clients: a plus sign that is none but a plus, or that has become
 * a space on the way, line ends within, and padding that was left out.
 * @throws SallyportError 'malformed'
 */
export function decodeGetMessage(message: string): Uint8Array {
  let text: string;
  try {
    text = decodeURIComponent(message);
  } catch (cause) {
    throw new SallyportError('malformed', 'the message is not percent-encoded as a URL is', { cause });
  }
  const base64 = text
    .replaceAll(' ', '+')
    .replaceAll(/[\r\n\t]/g, '')
    .replace(/={1,2}$/, '');
  try {
    return Uint8Array.fromBase64(base64, { lastChunkHandling: 'loose' });
  } catch (cause) {
    throw new SallyportError('malformed', 'the message is no base64', { cause });
  }
}
