import assert from 'node:assert/strict';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
import type { AcmeAnswer, AcmeClient, Json } from './acme-client.ts';
import { type ClientKey, makeKey } from './csr.ts';
import type { Held, PlayedHardware } from './played-hardware.ts';
import { keyAttributes, type PlayedTpm } from './played-tpm.ts';

/** What is left out is as it should be. */
export interface Attesting {
  readonly key?: ClientKey;
  readonly signed?: (keyAuthorization: string, token: string) => string;
  readonly attributes?: number;
  /** As of `PlayedTpm`. */
  readonly beside?: number;
}

/** An order of a device by ACME (draft-ietf-acme-device-attest), step by step. */
export async function ordered(
  client: AcmeClient,
  value: string,
  type = 'permanent-identifier',
): Promise<Json> {
  const answer = await client.order([{ type, value }]);
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

export async function challengeOf(client: AcmeClient, order: Json): Promise<{ url: string; token: string }> {
  const { body } = await client.post((order['authorizations'] as string[])[0]!, null);
  const challenges = body['challenges'] as Json[];
  assert.deepEqual(
    challenges.map(({ type }) => type),
    ['device-attest-01'],
  );
  return { url: challenges[0]!['url'] as string, token: challenges[0]!['token'] as string };
}

/** The answer to its challenge, by a TPM. */
export async function attest(
  client: AcmeClient,
  order: Json,
  tpm: PlayedTpm,
  { key = makeKey(), signed, attributes = keyAttributes.signingKey, beside = 0 }: Attesting = {},
): Promise<{ key: ClientKey; attObj: string; answer: AcmeAnswer }> {
  const { url, token } = await challengeOf(client, order);
  const keyAuthorization = client.keyAuthorization(token);
  const toBeSigned = signed === undefined ? keyAuthorization : signed(keyAuthorization, token);
  const attObj = Buffer.from(tpm.object(toBeSigned, key, { attributes, beside })).toString('base64url');
  return { key, attObj, answer: await client.post(url, { attObj }) };
}

/** The same, by hardware of any kind. `held`: what it is told of the challenge. */
export async function attestBy(
  client: AcmeClient,
  order: Json,
  hardware: PlayedHardware,
  held: (challenge: Held) => Held = (challenge) => challenge,
): Promise<{ key: ClientKey; answer: AcmeAnswer }> {
  const { url, token } = await challengeOf(client, order);
  const key = makeKey();
  const object = hardware.object(held({ token, keyAuthorization: client.keyAuthorization(token) }), key);
  return { key, answer: await client.post(url, { attObj: Buffer.from(object).toString('base64url') }) };
}

/** Ready to be finalized. */
export async function ready(
  client: AcmeClient,
  value: string,
  tpm: PlayedTpm,
  asked: Attesting = {},
): Promise<{ order: Json; key: ClientKey }> {
  const order = await ordered(client, value);
  const { key, answer } = await attest(client, order, tpm, asked);
  assert.equal(answer.body['status'], 'valid', answer.text);
  return { order, key };
}

export async function leafOfOrder(client: AcmeClient, answer: AcmeAnswer): Promise<Certificate> {
  assert.equal(answer.body['status'], 'valid', answer.text);
  return parseCertificate(pemToDer(await client.download(answer.body), 'CERTIFICATE')[0]!);
}

export const notForThis = ': it is not for this challenge';

/** What a client is told of a challenge that failed: no more than this `reason`, which anybody sees who reads its evidence. */
export function assertNotAccepted(answer: AcmeAnswer, reason = ''): void {
  assert.equal(answer.body['status'], 'invalid', answer.text);
  assert.deepEqual(answer.body['error'], {
    type: 'urn:ietf:params:acme:error:badAttestationStatement',
    detail: `the evidence is not accepted here${reason}`,
    status: 400,
  });
}
