import assert from 'node:assert/strict';
import {
  anyPorts,
  type Cleanup,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from '../../harness/authority.ts';
import { type BuiltMessage, readAnswer, type ScepAnswer } from '../../harness/scep-client.ts';
import { RawConnection } from '../../harness/raw-connection.ts';
import { Tlv } from '../../harness/tlv.ts';

/** `init`, then `serve`, with what a client's templates need. */
export async function wireAuthority(
  cleanup: Cleanup,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<ServedAuthority> {
  const authority = await serveAuthority(await initAuthority(cleanup, (yaml) => edit(anyPorts(yaml))));
  cleanup.after(() => authority.stop());
  return authority;
}

/** SHA-1 and 3DES for laptops: what old devices have. */
export function withLegacyAlgorithms(yaml: string): string {
  return yaml.replace('  device:\n', '  device:\n    legacyAlgorithms: [laptop]\n');
}

/** What a client writes around a message, to the octet. */
export interface HttpForm {
  readonly version: '1.0' | '1.1';
  /** Lines, without that of the length; `HOST` stands for host and port. */
  readonly headers: readonly string[];
}

export interface WireAnswer {
  readonly status: number;
  /** In its own case; undefined: it is not there. */
  header(name: string): string | undefined;
  readonly body: Buffer;
}

/** One request on a connection of its own. Who asked for its end, or speaks HTTP/1.0, reads on to that end and no further: it must come. */
export async function send(
  authority: ServedAuthority,
  form: HttpForm,
  target: string,
  body?: Uint8Array,
): Promise<WireAnswer> {
  const { host } = new URL(authority.scep);
  const { version, headers } = form;
  const lines = [
    `${body === undefined ? 'GET' : 'POST'} ${target} HTTP/${version}`,
    ...headers.map((line) => line.replace('HOST', host)),
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const connection = await RawConnection.open({ url: authority.scep, trust: authority.trustPem });
  try {
    connection.write(Buffer.concat([head, body ?? Buffer.alloc(0)]));
    const answer = await connection.answer();
    assert.ok(answer, 'the connection ended without an answer');
    if (version === '1.0' || headers.includes('Connection: close')) {
      assert.equal(await connection.answer(), null, 'the connection stays open');
    }
    return {
      status: answer.status,
      header: (wanted) => answer.headers.find(([name]) => name === wanted)?.[1],
      body: Buffer.from(answer.body, 'latin1'),
    };
  } finally {
    connection.close();
  }
}

/** What the answer to a message says, whose sender is its reader. */
export async function certRepOf(answer: WireAnswer, asker: BuiltMessage): Promise<ScepAnswer> {
  assert.equal(answer.status, 200, answer.body.toString());
  // sscep compares it whole, jscep its beginning; both want a length and no pieces.
  assert.equal(answer.header('Content-Type'), 'application/x-pki-message');
  assert.equal(Number(answer.header('Content-Length')), answer.body.length);
  const { status, body } = answer;
  return readAnswer({ status, headers: {}, type: 'application/x-pki-message', body, text: '' }, asker);
}

/** The value of a signed attribute of a message, DER, read by no code of the server's. */
export function signedAttribute(body: Uint8Array, oid: string): Tlv {
  const [, content] = Tlv.read(body).children;
  const signerInfos = content!.children[0]!.children.at(-1)!;
  const attributes = signerInfos.children[0]!.children.find(({ tag }) => tag === 0xa0)!;
  const found = attributes.children.find(({ children: [type] }) => type!.oid === oid);
  assert.ok(found, `no attribute ${oid}`);
  return found.children[1]!.children[0]!;
}

export const scepAttribute = {
  pkiStatus: '2.16.840.1.113733.1.9.3',
  senderNonce: '2.16.840.1.113733.1.9.5',
  recipientNonce: '2.16.840.1.113733.1.9.6',
  transactionId: '2.16.840.1.113733.1.9.7',
} as const;

export async function approve({ admin }: ServedAuthority, device: string): Promise<void> {
  const { items } = await admin.client.perform('listRequests', { state: 'pending' });
  await admin.client.perform('approveRequest', { id: items.find((each) => each.device === device)!.id });
}
