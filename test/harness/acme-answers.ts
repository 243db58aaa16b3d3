import assert from 'node:assert/strict';
import type { RequestEntry } from '#enrollment';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
import type { AcmeTestAuthority } from './acme-authority.ts';
import { type AcmeAnswer, type AcmeClient, type Json, orderCsr } from './acme-client.ts';
import type { TestAuthority } from './authority.ts';
import { type ClientKey, makeKey } from './csr.ts';
import { entryOf } from './expect.ts';

const prefix = 'urn:ietf:params:acme:error:';

/** Status and type of a problem, without the prefix of its type. */
export function problemOf({ status, body }: Pick<AcmeAnswer, 'status' | 'body'>): [number, string] {
  return [status, typeOf(body)];
}

/** Of a problem document, without the prefix. */
export function typeOf(document: unknown): string {
  const type = (document as Json)['type'];
  assert.ok(typeof type === 'string' && type.startsWith(prefix), JSON.stringify(document));
  return type.slice(prefix.length);
}

export function statusOf({ body }: Pick<AcmeAnswer, 'body'>): unknown {
  return body['status'];
}

export function leafOf(pem: string): Certificate {
  return parseCertificate(pemToDer(pem, 'CERTIFICATE')[0]!);
}

export function namesOf(pem: string): string[] {
  return leafOf(pem)
    .subjectAltName.map(({ value }) => String(value))
    .toSorted();
}

/** What revokeCert takes. */
export function encodedLeaf(pem: string): string {
  return Buffer.from(pemToDer(pem, 'CERTIFICATE')[0]!).toString('base64url');
}

/** An order whose names are proven by http-01, as it was given out. */
export async function readyOrder(
  authority: AcmeTestAuthority,
  client: AcmeClient,
  names: readonly string[],
  more: Json = {},
): Promise<{ order: Json; url: string }> {
  const ordered = await client.order(names.map(authority.host), more);
  assert.equal(ordered.status, 201, ordered.text);
  await client.prove(ordered.body, 'http-01', authority.byHttp);
  return { order: ordered.body, url: ordered.headers['location']! };
}

export interface IssuedOrder {
  readonly pem: string;
  readonly key: ClientKey;
  /** As it stands at the end. */
  readonly order: Json;
  readonly url: string;
}

/** Proven by http-01, finalized and downloaded. */
export async function issue(
  authority: AcmeTestAuthority,
  client: AcmeClient,
  names: readonly string[],
  more: Json = {},
): Promise<IssuedOrder> {
  const { order, url } = await readyOrder(authority, client, names, more);
  const key = makeKey();
  const done = await client.finalize(order, orderCsr(names, key));
  assert.equal(statusOf(done), 'valid', done.text);
  return { pem: await client.download(done.body), key, order: done.body, url };
}

/** Refused by the rules of the protocol: what the client is told, and the words that the log has for it. */
export async function assertRejected(
  authority: TestAuthority,
  answer: AcmeAnswer,
  type: string,
  words: RegExp,
): Promise<RequestEntry> {
  assert.equal(typeOf(answer.body), type, answer.text);
  const entry = await entryOf(authority, answer);
  assert.equal(entry.outcome, 'rejected', JSON.stringify(entry));
  assert.match(entry.error!.message, words);
  return entry;
}

/** Refused by exactly these controls in the log: nothing else was wrong. */
export async function assertObjected(
  authority: TestAuthority,
  answer: AcmeAnswer,
  type: string,
  controls: readonly string[],
): Promise<RequestEntry> {
  assert.equal(typeOf(answer.body), type, answer.text);
  const entry = await entryOf(authority, answer);
  assert.equal(entry.outcome, 'refused', JSON.stringify(entry.error));
  assert.deepEqual(entry.verdict.objections.map(({ control }) => control).sort(), [...controls].sort());
  return entry;
}
