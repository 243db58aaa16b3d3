import type { NewEntry } from '#audit';
import { type Certificate, findCertificationPath } from '#x509';
import { sha256Hex } from './digests.ts';
import type { EnrollmentPorts } from './enrollment-ports.ts';
import { parsedIfAny } from './issuing-certificate.ts';
import { macSecret } from './one-time-secret.ts';
import type { Credential } from './request.ts';

/** Who presents one of these is known again when the evidence comes. */
export type NonceCredential = Extract<Credential, { kind: 'secret' | 'certificate' }>;

export interface GivenNonce {
  readonly outcome: 'nonce';
  readonly nonce: Uint8Array;
  readonly expiresInSeconds: number;
}

/** A TPM takes its time, and so does who touches a security key. */
const lifetimeSeconds = 300;

/**
 * A random nonce, the one that is in force from here on for the secret or the certificate. Whoever presents nothing that we know gets one as well, and it is kept
 * nowhere: nothing is learnt by asking.
 */
export async function giveNonce(
  credential: NonceCredential,
  length: number,
  entry: NewEntry,
  { store, clock, random, authority }: Pick<EnrollmentPorts, 'store' | 'clock' | 'random' | 'authority'>,
): Promise<GivenNonce> {
  const nonce = random(length);
  const now = clock.now();
  const { macKeys, identityCas } = authority();
  const holder =
    credential.kind === 'secret'
      ? {
          secretMacs: macKeys.map((key) => macSecret(credential.secret, key)),
          presenterSha256: null,
          isVouchedFor: false,
        }
      : {
          secretMacs: [],
          presenterSha256: sha256Hex(credential.certificate),
          isVouchedFor: isVouchedFor(credential, identityCas),
        };
  await store.giveNonce({ ...holder, nonce, expiresAt: now + lifetimeSeconds * 1000, now, entry });
  return { outcome: 'nonce', nonce, expiresInSeconds: lifetimeSeconds };
}

/** By a CA of an identity: such certificates are in no store of ours. */
function isVouchedFor(
  { certificate, sent }: Extract<Credential, { kind: 'certificate' }>,
  identityCas: readonly Certificate[],
): boolean {
  const [leaf] = parsedIfAny(certificate);
  if (leaf === undefined || identityCas.length === 0) return false;
  return findCertificationPath(leaf, sent.flatMap(parsedIfAny), identityCas) !== null;
}
