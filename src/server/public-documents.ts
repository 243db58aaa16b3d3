import { type Cidr, cidrContains, parseCidr } from '#limits';
import type { Handler } from './listener.ts';

/** A document that anybody may read. */
interface PublicDocument {
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface PublicDocuments {
  /** The document at an absolute path, or null. */
  read(path: string): Promise<PublicDocument | null>;
}

/**
 * Serves CRLs, CA certificates and the log's checkpoint: read-only, without secrets, over plain HTTP since each is signed. `sources` are
 * the ranges in force, asked for at each request.
 */
export function publicDocuments(documents: PublicDocuments, sources: () => readonly string[]): Handler {
  let ranges: readonly Cidr[] = [];
  let parsed: readonly string[] = [];
  const rangesInForce = () => {
    const inForce = sources();
    if (inForce !== parsed) [ranges, parsed] = [inForce.map(parseCidr), inForce];
    return ranges;
  };
  return async (request, response, { address }) => {
    request.resume();
    if (!rangesInForce().some((range) => cidrContains(range, address))) {
      response.writeHead(403, { 'Content-Length': '0' }).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': '0' }).end();
      return;
    }
    const document = await documents.read((request.url ?? '').split('?', 1)[0]!);
    if (document === null) {
      response.writeHead(404, { 'Content-Length': '0' }).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': document.contentType,
      'Content-Length': String(document.body.length),
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : document.body);
  };
}
