import type { Evidence, Examination, Nonce } from '#evidence';
import type { EnrollmentPorts } from './enrollment-ports.ts';
import { deriveEvidence } from './layers/evidence.ts';
import { attesterOf, evidenceObservation, examined } from './offered-evidence.ts';

/** Evidence that comes before its certification request, of a device that is known. */
export interface Attesting {
  readonly deviceId: string;
  readonly template: string;
  readonly evidence: Evidence;
  readonly nonce: Nonce;
}

export interface Attested {
  readonly examination: Examination;
  /** What is wrong with it, in words for the log; null: it would be taken, for a request of the key that it attests. */
  readonly problem: string | null;
}

/** Judged here so that whoever sent it hears of it at once; what counts is that it is judged again, with the request. */
export async function attest(
  { deviceId, template, evidence, nonce }: Attesting,
  ports: Pick<EnrollmentPorts, 'store' | 'clock' | 'authority'>,
): Promise<Attested> {
  const examination = examined(evidence, nonce);
  return { examination, problem: await problemOf(examination, { deviceId, template }, ports) };
}

/** As in Attested. */
export async function problemOf(
  examination: Examination,
  { deviceId, template }: Pick<Attesting, 'deviceId' | 'template'>,
  { store, clock, authority }: Pick<EnrollmentPorts, 'store' | 'clock' | 'authority'>,
): Promise<string | null> {
  const { references, statusLists } = authority();
  const time = clock.now();
  const spki = examination.statement?.spki ?? '';
  const stored = await store.observe({
    secretMacs: [],
    userName: null,
    presenterSha256: null,
    identity: { column: 'id', value: deviceId },
    order: null,
    evidence: examination.sha256,
    attester: attesterOf(examination),
    evidenceFormat: examination.format,
    attestingKey: null,
    spki,
    template,
    staticChallenge: false,
    now: time,
  });
  const observed = evidenceObservation(examination, statusLists, stored);
  const { facts, reasons } = deriveEvidence(observed, references, {
    device: stored.device === null ? null : { ...stored.device, otherKeyCurrent: stored.otherKeyCurrent },
    template,
    spki,
    issued: null,
    time,
  });
  if (facts.verified) return null;
  return facts.judged
    ? Object.entries(reasons)
        .filter(([control]) => control !== 'attestation')
        .map(([, words]) => words)
        .join('; ')
    : 'nothing is proven by evidence of such a device here';
}
