import { hash, timingSafeEqual } from 'node:crypto';
import type { Template } from '#ca';
import type { ChallengeObservation } from './observations.ts';
import type { Credential } from './request.ts';

/** The static challenges of templates, as digests. */
export type StaticChallenges = ReadonlyMap<string, Uint8Array>;

export function staticChallengeDigest(challenge: string): Uint8Array {
  return hash('sha256', `sallyport static challenge\0${challenge}`, 'buffer');
}

/**
 * What a password is, where it is none of the secrets that we gave out: the template says whose word counts. null: it is a secret, or there is
 * none. A static challenge beside secrets is recognised by its value; a workflow's is whatever comes.
 */
export function challengeOf(
  credential: Credential | null,
  template: Template | undefined,
  challenges: StaticChallenges,
): ChallengeObservation | null {
  if (credential === null || template === undefined) return null;
  const takes = template.authentication;
  if (credential.kind === 'polled') {
    return credential.challenge === 'workflow' ? { kind: 'workflow' } : { kind: 'static', matches: true };
  }
  if (credential.kind !== 'secret') return null;
  if (takes.includes('dangerousStaticChallenge')) {
    const matches = isStatic(credential.secret, challenges.get(template.name));
    if (matches || !takes.some((layer) => layer === 'secret' || layer === 'workflow')) {
      return { kind: 'static', matches };
    }
  }
  return takes.includes('workflow') ? { kind: 'workflow' } : null;
}

function isStatic(given: string, expected: Uint8Array | undefined): boolean {
  return expected !== undefined && timingSafeEqual(staticChallengeDigest(given), expected);
}
