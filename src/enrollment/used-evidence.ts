import { versionsOf } from '#evidence';
import type { Decided } from './decided.ts';
import type { AuthorityEntry } from './entry.ts';
import { isNewsOfMany, limitOf } from './layers/attesting-key.ts';
import type { Observations } from './observations.ts';
import { attesterOf, withoutFreshness } from './offered-evidence.ts';
import { newEntry } from './personal-fields.ts';
import type { EvidenceMemory, UsedEvidence } from './evidence-store.ts';
import { supportCode } from './support-code.ts';

/** Evidence that was judged is of this request from here on; null: none was. */
export function usedEvidence(decided: Decided, random: (n: number) => Uint8Array): UsedEvidence | null {
  const { evidence, secret, presenter } = decided.observations;
  const { context } = decided.facts;
  const examination = evidence?.examination;
  if (examination === undefined || context.evidence?.judged !== true) return null;
  return {
    secretId: secret?.id ?? null,
    presenterSha256: presenter?.sha256 ?? null,
    nonce: examination.statement?.fresh === true ? decided.nonce : null,
    sha256: examination.sha256,
    fresh: context.evidence.fresh,
    attester: context.evidence.verified ? attesterOf(examination) : null,
    verified: examination.format === 'external' ? withoutFreshness(examination) : null,
    memory: context.evidence.verified ? memoryOf(decided.observations) : null,
    alarm: isOnMany(decided) ? newEntry(alarmOf(decided, random), random) : null,
  };
}

function memoryOf({ evidence }: Observations): EvidenceMemory | null {
  const statement = evidence?.examination?.statement ?? null;
  if (statement === null) return null;
  const { claims } = statement;
  const key = evidence?.attestingKey ?? null;
  return {
    format: claims.format,
    versions: versionsOf(claims),
    before: evidence?.versions ?? null,
    attestingKey: key && { spki: key.spki, otherDevices: key.otherDevices, known: key.known },
  };
}

function isOnMany({ observations, authority, facts }: Decided): boolean {
  const { attestingKey, evidence } = facts.context;
  if (attestingKey?.withinLimit === false) return true;
  return (
    evidence?.verified === true &&
    isNewsOfMany(observations.evidence, authority.references, facts.deviceClass)
  );
}

/** A key that is on more devices than it may be, or on many, is news of its own, whatever becomes of the request. */
function alarmOf(
  { asked, authority, observations, facts, time }: Decided,
  random: (n: number) => Uint8Array,
): AuthorityEntry {
  const { evidence, device } = observations;
  const detail = {
    format: evidence?.examination?.format ?? null,
    attestationKey: evidence?.attestingKey?.spki ?? null,
    otherDevices: evidence?.attestingKey?.otherDevices ?? null,
    limit: limitOf(evidence, authority.references, facts.deviceClass),
    device: device?.id ?? null,
    request: asked.admission.id,
  };
  const event = 'attestation.shared';
  return { type: 'authority', version: 2, id: supportCode(random), time, event, detail };
}
