import http from 'node:http';
import https from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/** PEM, each. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** One request on a connection of its own, with the headers that are given and no others but those that HTTP itself needs. */
export async function askHttp(
  url: string,
  settings: {
    readonly method?: string;
    readonly body?: Uint8Array;
    readonly headers?: Record<string, string>;
    readonly tls?: ClientTls;
    readonly localAddress?: string;
  } = {},
): Promise<HttpAnswer> {
  const { method = 'GET', body, headers = {}, tls = {}, localAddress } = settings;
  const from = localAddress === undefined ? {} : { localAddress };
  const length = body === undefined ? {} : { 'Content-Length': String(body.length) };
  return new Promise((resolve, reject) => {
    const options = { method, headers: { ...headers, ...length }, agent: false, ...tls, ...from };
    const request = (url.startsWith('https:') ? https : http).request(url, options, (response) => {
      response.toArray().then((parts: Buffer[]) => {
        const all = Buffer.concat(parts);
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          headers: response.headers,
          body: all,
          text: all.toString(),
        });
      }, reject);
    });
    request.once('error', reject);
    request.end(body);
  });
}
