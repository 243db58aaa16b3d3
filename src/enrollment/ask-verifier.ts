import { type Examination, type ExternalEvidence, externalExamination } from '#evidence';
import type { Authority } from './authority.ts';
import type { DeviceObservation, Observations } from './observations.ts';
import type { Asked } from './observe.ts';
import { recordable } from './offered-evidence.ts';
import { wouldPass } from './passing.ts';
import { named } from './references.ts';
import type { Verifier, VerifierQuestion } from './verifier.ts';

/** Who is to be asked about evidence, and what. */
export interface VerifierToAsk {
  readonly name: string;
  readonly verifier: Verifier;
  readonly question: VerifierQuestion;
}

/** Of those that the device's class believes, the one that reads what calls itself so; null: nobody is asked. */
export function verifierFor(
  { type }: ExternalEvidence,
  device: Pick<DeviceObservation, 'deviceClass'>,
  { references, verifiers }: Pick<Authority, 'references' | 'verifiers'>,
): Pick<VerifierToAsk, 'name' | 'verifier'> | null {
  const believed =
    named(references.deviceClasses, device.deviceClass)?.evidence?.external?.external?.verifiers ?? [];
  for (const name of believed) {
    const verifier = verifiers.get(name);
    if (verifier?.formats.includes(type) === true) return { name, verifier };
  }
  return null;
}

/**
 * null: nobody is asked, since the evidence is none for a verifier, was not seen for the first time, was given no nonce to hold, is of no key that is to be certified, or something else stands against the request: no stranger
 * makes us call others for what is refused anyway.
 */
export function verifierToAsk(
  { admission, evidence, request, keygen }: Asked,
  observations: Observations,
  nonce: Uint8Array | null,
  authority: Authority,
  time: number,
): VerifierToAsk | null {
  const { device, source } = observations;
  const external = evidence?.external ?? null;
  if (external === null || device === null || nonce === null || keygen) return null;
  const { earlier = null } = observations.evidence ?? {};
  const found = verifierFor(external, device, authority);
  if (found === null || earlier !== null) return null;
  if (!wouldPass(observations, authority, time, { evidenceHolds: true })) return null;
  const { id } = admission;
  const key = request?.spki ?? null;
  return {
    ...found,
    question: { id, template: source.template ?? '', evidence: external, nonce, key, device },
  };
}

/** `sha256`: of the evidence as it came. */
export async function askVerifier(
  { name, verifier, question }: VerifierToAsk,
  sha256: string,
): Promise<Examination> {
  const answer = await verifier.verify(question);
  const { evidence, nonce } = question;
  return recordable(externalExamination(sha256, { verifier: name, type: evidence.type, nonce }, answer));
}
