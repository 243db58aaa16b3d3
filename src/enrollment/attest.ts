import {
  type Evidence,
  type Examination,
  type ExternalEvidence,
  isUnanswered,
  type Nonce,
  openEvidence,
} from '#evidence';
import { askVerifier, verifierFor, type VerifierToAsk } from './ask-verifier.ts';
import type { EnrollmentPorts } from './enrollment-ports.ts';
import { attestedDevice } from './attested-device.ts';
import { deriveEvidence, lacksListAlone } from './layers/evidence.ts';
import { attesterOf, evidenceObservation, recordable } from './offered-evidence.ts';
import type { StoreObservation } from './store.ts';
import { verifierLimit } from './verifier-limit.ts';

/** Evidence that comes before its certification request. */
export interface Attesting {
  /** Support code of the request that it came with. */
  readonly id: string;
  /** null: it says itself of which device it is. */
  readonly deviceId: string | null;
  /** Id of the ACME account that sent it. */
  readonly account: string;
  readonly template: string;
  readonly evidence: Evidence;
  readonly nonce: Nonce;
}

export interface Attested {
  readonly examination: Examination;
  /** null: none that is known. */
  readonly deviceId: string | null;
  /** What is wrong with it, in words for the log; null: it would be taken, for a request of the key that it attests. */
  readonly problem: string | null;
  /** Who reads it elsewhere has not answered or was asked too often, or our list of revoked keys is lacking or too old and nothing else is wrong: the same evidence may be taken another time. */
  readonly isPassing: boolean;
}

/** As in Attested. */
export type Problem = Pick<Attested, 'problem' | 'isPassing'>;

/** Judged here so that whoever sent it hears of it at once; what counts is that it is judged again, with the request. */
export async function attest(
  attesting: Attesting,
  ports: Pick<EnrollmentPorts, 'store' | 'clock' | 'authority'>,
): Promise<Attested> {
  const { deviceId, template, evidence, nonce } = attesting;
  const { references } = ports.authority();
  const opened = openEvidence(evidence);
  const seen = recordable(opened.examined(nonce));
  const known = deviceId ?? (await attestedDevice(seen, template, references, ports.store));
  if (known === null) {
    const { fault } = seen;
    const problem =
      fault === null ? 'it names no one device of the inventory' : `${fault.check}: ${fault.detail}`;
    return { examination: seen, deviceId: null, problem, isPassing: false };
  }
  const ofDevice = { ...attesting, deviceId: known };
  const asking =
    opened.external === null ? null : await verifierToAskBeforehand(ofDevice, opened.external, seen, ports);
  if (asking !== null && !(await spendQuestion(ofDevice, ports))) {
    const problem = 'this account had verifiers asked as often as they may be';
    return { examination: seen, deviceId: known, problem, isPassing: true };
  }
  const examination = asking === null ? seen : await askVerifier(asking, opened.sha256);
  const { problem, isPassing } = await problemOf(examination, ofDevice, ports);
  return {
    examination,
    deviceId: known,
    problem,
    isPassing: isPassing || isUnanswered(examination),
  };
}

/** Evidence of a device that is known. */
type OfDevice = Attesting & { readonly deviceId: string };

/** null: nobody is, since the device may have nothing, or the evidence came before. Its account has proven who asks. */
async function verifierToAskBeforehand(
  { id, deviceId, template, nonce }: OfDevice,
  external: ExternalEvidence,
  examination: Examination,
  ports: Pick<EnrollmentPorts, 'store' | 'clock' | 'authority'>,
): Promise<VerifierToAsk | null> {
  const { device, earlierEvidence } = await observed(examination, { deviceId, template }, ports);
  if (device === null || earlierEvidence !== null) return null;
  if (device.state !== 'expected' && device.state !== 'active') return null;
  const found = verifierFor(external, device, ports.authority());
  if (found === null) return null;
  const question = { id, template, evidence: external, nonce: nonce.toBeSigned, key: null, device };
  return { ...found, question };
}

async function spendQuestion(
  { deviceId, account }: OfDevice,
  { store, clock, authority }: Pick<EnrollmentPorts, 'store' | 'clock' | 'authority'>,
): Promise<boolean> {
  const limit = verifierLimit(authority().references);
  const credential = `account ${account}`;
  return (await store.spendVerifierRate({ deviceId, credential, limit, now: clock.now() })).conforms;
}

/** As in Attested. */
export async function problemOf(
  examination: Examination,
  { deviceId, template }: Pick<OfDevice, 'deviceId' | 'template'>,
  ports: Pick<EnrollmentPorts, 'store' | 'clock' | 'authority'>,
): Promise<Problem> {
  const authority = ports.authority();
  const { references } = authority;
  const time = ports.clock.now();
  const spki = spkiOf(examination);
  const stored = await observed(examination, { deviceId, template }, ports);
  const seen = evidenceObservation(examination, authority, stored);
  const asked = {
    device: stored.device === null ? null : { ...stored.device, otherKeyCurrent: stored.otherKeyCurrent },
    template,
    spki,
    issued: null,
    approvedAt: null,
    time,
  };
  const { facts, reasons } = deriveEvidence(seen, references, asked);
  if (facts.verified) return { problem: null, isPassing: false };
  const problem = facts.judged
    ? Object.entries(reasons)
        .filter(([control]) => control !== 'attestation')
        .map(([, words]) => words)
        .join('; ')
    : 'nothing is proven by evidence of such a device here';
  return { problem, isPassing: lacksListAlone(seen, references, asked) };
}

function observed(
  examination: Examination,
  { deviceId, template }: Pick<OfDevice, 'deviceId' | 'template'>,
  { store, clock }: Pick<EnrollmentPorts, 'store' | 'clock'>,
): Promise<StoreObservation> {
  return store.observe({
    secretMacs: [],
    userName: null,
    presenterSha256: null,
    identity: { column: 'id', value: deviceId },
    order: null,
    evidence: examination.sha256,
    attester: attesterOf(examination),
    evidenceFormat: examination.format,
    attestingKey: null,
    spki: spkiOf(examination),
    template,
    staticChallenge: false,
    now: clock.now(),
  });
}

const spkiOf = ({ statement }: Examination) => statement?.spki ?? '';
