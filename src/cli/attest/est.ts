import { parseCertsOnly } from '#cms';
import { SallyportError } from '#errors';
import type { Der } from '#x509';
import { call, refusal, type Reply, retryAfterSeconds, type Tls } from './call.ts';
import type { Outcome } from './patience.ts';

/** A label of EST: https://ca.example.org/.well-known/est/device. */
export interface EstServer {
  readonly url: string;
  /** With the certificate that is renewed, where one is. */
  readonly tls: Tls;
  /** User name and secret; null: the certificate says who asks. */
  readonly user: readonly [name: string, secret: string] | null;
}

/** draft-ietf-lamps-attestation-freshness section 5. */
export async function askNonce(server: EstServer): Promise<Uint8Array> {
  const reply = await call(`${server.url}/nonce`, server.tls, { headers: authorization(server) });
  if (reply.status !== 200) throw refusal(reply);
  try {
    const { nonce } = JSON.parse(reply.body.toString()) as { nonce: string };
    return Uint8Array.fromBase64(nonce, { alphabet: 'base64url' });
  } catch (cause) {
    throw new SallyportError(
      'malformed',
      `${server.url}/nonce gives no nonce; is this the address of a label of EST?`,
      { cause },
    );
  }
}

/** simpleenroll, or simplereenroll where there is no secret (RFC 7030 section 4.2). */
export async function enrollByEst(server: EstServer, request: Der): Promise<Outcome> {
  const operation = server.user === null ? 'simplereenroll' : 'simpleenroll';
  const reply = await call(`${server.url}/${operation}`, server.tls, {
    method: 'POST',
    headers: { ...authorization(server), 'Content-Type': 'application/pkcs10' },
    body: request.toBase64(),
  });
  const retry = retryAfterSeconds(reply);
  if (retry !== null) return { retryAfterSeconds: retry };
  if (reply.status !== 200) throw refusal(reply);
  return { certificates: certificatesOf(reply) };
}

/** RFC 8951 section 3.1: base64, whatever a header says. */
function certificatesOf({ body }: Reply): readonly Der[] {
  return parseCertsOnly(new Uint8Array(Buffer.from(body.toString('latin1'), 'base64')));
}

function authorization({ user }: EstServer): Record<string, string> {
  return user === null ? {} : { Authorization: `Basic ${Buffer.from(user.join(':')).toString('base64')}` };
}
