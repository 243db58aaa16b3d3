import { type EvidenceVersions, versionsOf, versionsThatWentBack } from '#evidence';
import type { Context } from '#policy';
import type { EvidenceObservation } from '../observations.ts';
import { Finding } from './finding.ts';

/**
 * Whether verified evidence says no less of its device than what the device's last certificate was issued on. An older system has holes that are known, and whoever
 * holds the device can install it. What is not verified is refused for that.
 */
export function deriveVersions(
  evidence: EvidenceObservation | null,
  asked: {
    readonly verified: boolean;
    /** It got its certificate already: nothing new is issued on it. */
    readonly again: boolean;
  },
): Finding<NonNullable<Context['versions']>> {
  const statement = evidence?.examination?.statement ?? null;
  const before = evidence?.versions ?? null;
  const isHeldAgainst = asked.verified && !asked.again && statement !== null && before !== null;
  const now: EvidenceVersions = isHeldAgainst ? versionsOf(statement.claims) : {};
  const lower = isHeldAgainst ? versionsThatWentBack(before, now) : [];
  const words = lower.map((name) => `${name} is ${now[name] ?? 'not said'}, and was ${before?.[name]}`);
  return new Finding({ kept: lower.length === 0 }).because(
    'attestation-rollback',
    lower.length === 0,
    `of what the device got its last certificate on, less is said now: ${words.join('; ')}`,
  );
}
