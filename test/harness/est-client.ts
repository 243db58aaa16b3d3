import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { parseCertsOnly } from '#cms';
import { derToPem } from '#x509';
import { type ClientKey, privateKeyPem } from './csr.ts';

export interface EstAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The certificates of a 200, DER. */
  readonly certificates: readonly Uint8Array[];
}

export interface EstRequest {
  readonly url: string;
  readonly method?: string;
  readonly body?: Buffer | string;
  readonly headers?: Record<string, string>;
  readonly user?: readonly [name: string, secret: string];
  /** Client certificate, DER, and its key; `chain` is sent beside it, in this order. */
  readonly client?: {
    readonly certificate: Uint8Array;
    readonly key: ClientKey;
    readonly chain?: readonly Uint8Array[];
  };
  readonly trust: string;
  readonly localAddress?: string;
  /** null: none is sent, as by strongSwan and Bouncy Castle. */
  readonly userAgent?: string | null;
}

/** One request on a connection of its own, as devices make it. Real TLS, the server verified. */
export async function est(request: EstRequest): Promise<EstAnswer> {
  const { client, user } = request;
  return new Promise((resolve, reject) => {
    const outgoing = https.request(
      request.url,
      {
        method: request.method ?? (request.body === undefined ? 'GET' : 'POST'),
        ca: request.trust,
        agent: false,
        // What most devices offer today; Node's own default would pay for a hybrid exchange.
        ecdhCurve: 'X25519:P-256',
        headers: {
          ...(request.body === undefined
            ? {}
            : { 'Content-Type': 'application/pkcs10', 'Content-Length': Buffer.byteLength(request.body) }),
          ...(user === undefined
            ? {}
            : { Authorization: `Basic ${Buffer.from(user.join(':')).toString('base64')}` }),
          ...(request.userAgent === null ? {} : { 'User-Agent': request.userAgent ?? 'sallyport-tests' }),
          ...request.headers,
        },
        ...(request.localAddress === undefined ? {} : { localAddress: request.localAddress }),
        ...(client === undefined
          ? {}
          : {
              cert: [client.certificate, ...(client.chain ?? [])]
                .map((each) => derToPem(each, 'CERTIFICATE'))
                .join(''),
              key: privateKeyPem(client.key),
            }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('latin1');
          const status = response.statusCode!;
          const isPkcs7 = response.headers['content-type']?.startsWith('application/pkcs7-mime') ?? false;
          const certificates = isPkcs7 ? parseCertsOnly(Buffer.from(text, 'base64')) : [];
          resolve({ status, headers: response.headers, rawHeaders: response.rawHeaders, text, certificates });
        });
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.setTimeout(20_000, () => outgoing.destroy(new Error('no answer in 20 s')));
    outgoing.end(request.body);
  });
}

export function base64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64');
}
