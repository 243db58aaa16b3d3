import { hasAttestingKey } from '#evidence';
import type { Context } from '#policy';
import type { EvidenceObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

/**
 * Whether so many devices may have certificates by the key that attests, of which this is one more. An attestation key that is on a second device was copied, certified for both by
 * mistake, or moved with its TPM. Who got one on it counts already, since an operator let it or it was the first.
 */
export function deriveAttestingKey(
  evidence: EvidenceObservation | null,
  references: Pick<References, 'deviceClasses'>,
  asked: {
    readonly deviceClass: string | null;
    readonly verified: boolean;
    /** It got its certificate already: nothing new is issued on it. */
    readonly again: boolean;
  },
): Finding<NonNullable<Context['attestingKey']>> {
  const problem = asked.verified && !asked.again ? problemOf(evidence, references, asked.deviceClass) : null;
  return new Finding({ withinLimit: problem === null }).because(
    'attestation-shared',
    problem === null,
    problem ?? '',
  );
}

function problemOf(
  evidence: EvidenceObservation | null,
  references: Pick<References, 'deviceClasses'>,
  deviceClass: string | null,
): string | null {
  const claims = evidence?.examination?.statement?.claims;
  const limit = limitOf(evidence, references, deviceClass);
  if (claims === undefined || limit === null || !hasAttestingKey(claims)) return null;
  const key = evidence?.attestingKey ?? null;
  if (key === null) return 'nobody can say how many devices have the key that attests: it was not sent';
  if (key.known || key.otherDevices < limit) return null;
  const others = key.otherDevices === 1 ? '1 other device' : `${key.otherDevices} other devices`;
  return `${others} got certificates by attestation key ${key.spki}, and ${limit} may have it`;
}

/** Of no number can be said that it is too many for a key of a factory. */
const roundNumbers: readonly number[] = [10, 100, 1_000, 10_000];

/** Whether any number of devices may have the key that attests, and this one makes a number of them that is news: the second, where each device is given a key of its own remotely. */
export function isNewsOfMany(
  evidence: EvidenceObservation | null,
  references: Pick<References, 'deviceClasses'>,
  deviceClass: string | null,
): boolean {
  const claims = evidence?.examination?.statement?.claims;
  const key = evidence?.attestingKey ?? null;
  if (claims === undefined || key === null || key.known) return false;
  if (limitOf(evidence, references, deviceClass) !== null) return false;
  const devices = key.otherDevices + 1;
  const isOfOne = claims.format === 'android-key' && claims.provisioning === 'remote';
  return (isOfOne && devices === 2) || roundNumbers.includes(devices);
}

/** How many devices may get certificates by one key that attests; null: any number. */
export function limitOf(
  evidence: EvidenceObservation | null,
  references: Pick<References, 'deviceClasses'>,
  deviceClass: string | null,
): number | null {
  const format = evidence?.examination?.format ?? null;
  const requirement =
    format === null ? undefined : named(references.deviceClasses, deviceClass)?.evidence?.[format];
  return requirement?.devicesPerAttestationKey ?? null;
}
