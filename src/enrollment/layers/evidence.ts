import { certifiesAttestationKeys, type Template } from '#ca';
import {
  appraise,
  type AssuranceLevel,
  type EvidenceFault,
  type EvidenceFormat,
  type Examination,
  type ReferenceValues,
} from '#evidence';
import type { DeviceClass, EvidenceRequirement } from '#inventory';
import type { Context } from '#policy';
import type { DeviceObservation, EarlierEvidence, EvidenceObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

type EvidenceFacts = NonNullable<Context['evidence']>;

interface AskedOf {
  readonly device: DeviceObservation | null;
  readonly template: string | null;
  /** SHA-256 of the key that is to be certified; null: the authority makes it. */
  readonly spki: string | null;
  /** What this same request got already. */
  readonly issued: string | null;
  /** When an operator approved this key, where one did; null: nobody did. */
  readonly approvedAt: number | null;
  readonly time: number;
}

const unjudged = {
  sound: false,
  fresh: false,
  trusted: false,
  forKey: false,
  forDevice: false,
  unused: false,
  verified: false,
};

/**
 * What the device's hardware says of the key. Without a device or a template nobody knows that evidence may be lacking: then it is required. What nobody asked
 * for proves nothing, and is not judged.
 */
export function deriveEvidence(
  evidence: EvidenceObservation | null,
  references: References,
  asked: AskedOf,
): Finding<EvidenceFacts> {
  const { device, template } = asked;
  const ofClass = named(references.deviceClasses, device?.deviceClass);
  const ofTemplate = named(references.templates, template);
  const byClass = ofClass?.attestation !== 'none';
  const byTemplate =
    ofTemplate?.keyProtection !== 'declared' ||
    ofTemplate.authentication.every((layer) => layer === 'attestation' || layer === 'endorsement');
  const required = byClass || byTemplate;
  const examination = evidence?.examination ?? null;
  const takesSome = Object.keys(ofClass?.evidence ?? {}).length > 0;
  const judged = examination !== null && (required || takesSome);
  const words = byClass
    ? `devices of class ${ofClass?.name ?? 'unknown'} must attest`
    : `template ${template} demands a key proven to be in hardware`;
  if (!judged) {
    const facts = { required, offered: examination !== null, judged, ...unjudged };
    return new Finding(facts).because('attestation', !required, `${words}, and no evidence was offered`);
  }
  const problems = problemsOf(examination, evidence!, ofClass, ofTemplate, references, asked);
  const verified = Object.values(problems).every((problem) => problem === null);
  const facts = {
    required,
    offered: true,
    judged,
    sound: problems.sound === null,
    fresh: problems.fresh === null,
    trusted: problems.trusted === null,
    forKey: problems.forKey === null,
    forDevice: problems.forDevice === null,
    unused: problems.unused === null,
    verified,
  };
  return new Finding(facts)
    .because('attestation', !required || verified, `${words}, and the evidence does not hold`)
    .because('attestation-sound', facts.sound, problems.sound ?? '')
    .because('attestation-fresh', facts.fresh, problems.fresh ?? '')
    .because('attestation-trusted', facts.trusted, problems.trusted ?? '')
    .because('attestation-key', facts.forKey, problems.forKey ?? '')
    .because('attestation-device', facts.forDevice, problems.forDevice ?? '')
    .because('attestation-unused', facts.unused, problems.unused ?? '');
}

/**
 * Whether nothing stands against evidence but that our list of revoked keys is too old: that is not its client's to mend, and passes. What a list that is
 * there says of its keys is asked all the same. Google's is always configured, and lacking while its file cannot be read; of an issuer of which there is no list
 * nobody has configured one, and waiting would not end.
 */
export function lacksListAlone(
  evidence: EvidenceObservation,
  references: References,
  asked: AskedOf,
): boolean {
  const renewed = withoutAgeOfLists(references, asked.device, evidence);
  return (
    renewed !== null &&
    !deriveEvidence(evidence, references, asked).facts.verified &&
    deriveEvidence(evidence, renewed, asked).facts.verified
  );
}

/** As if the list that there is for such evidence were new; null: the class of the device asks for none of any age. */
export function withoutAgeOfLists(
  references: References,
  device: DeviceObservation | null,
  evidence: EvidenceObservation | null,
): References | null {
  const format = evidence?.examination?.format ?? null;
  const ofClass = named(references.deviceClasses, device?.deviceClass);
  const requirement = format === null ? undefined : ofClass?.evidence?.[format];
  if (ofClass === undefined || format === null || requirement?.maximumStatusAgeSeconds === undefined) {
    return null;
  }
  const { maximumStatusAgeSeconds: _, ...rest } = requirement;
  const without = format === 'android-key' ? rest : { ...rest, maximumStatusAgeSeconds: Infinity };
  const changed = { ...ofClass, evidence: { ...ofClass.evidence, [format]: without } };
  return { ...references, deviceClasses: { ...references.deviceClasses, [ofClass.name]: changed } };
}

type Problems = Record<'sound' | 'fresh' | 'trusted' | 'forKey' | 'forDevice' | 'unused', string | null>;

/** In words; null: it holds. */
function problemsOf(
  examination: Examination,
  evidence: EvidenceObservation,
  ofClass: DeviceClass | undefined,
  ofTemplate: Template | undefined,
  references: References,
  asked: AskedOf,
): Problems {
  const { format, fault, statement } = examination;
  const requirement = format === null ? undefined : ofClass?.evidence?.[format];
  const sound =
    fault !== null
      ? faultWords(fault)
      : requirement === undefined
        ? `devices of class ${ofClass?.name ?? 'unknown'} prove nothing by evidence of format ${format}`
        : templateProblem(format, ofTemplate);
  if (sound !== null || statement === null || requirement === undefined) {
    const unread = 'the evidence was not taken so far';
    return {
      sound: sound ?? unread,
      fresh: unread,
      trusted: unread,
      forKey: unread,
      forDevice: unread,
      unused: unread,
    };
  }
  const { earlier = null } = evidence;
  const isOfThis =
    earlier?.same === true && (earlier.certificate === null || earlier.certificate === asked.issued);
  const { level, objections } = appraise(
    examination,
    referenceValues(requirement, references),
    evidence.status ?? null,
    asked.time,
  );
  return {
    sound,
    fresh:
      statement.fresh === true || (isOfThis && isStillFresh(earlier, references, asked))
        ? null
        : statement.fresh === null
          ? 'no nonce was given out that it could hold'
          : 'it does not hold the nonce that was given out',
    trusted: joined([
      ...objections.map(faultWords),
      objections.length === 0 ? levelProblem(level, ofTemplate) : null,
      attesterProblem(evidence.attester ?? null, asked.device),
    ]),
    forKey:
      statement.spki === asked.spki ? null : 'it attests another key than the one that is to be certified',
    forDevice:
      deviceProblem(statement.identities, requirement, asked.device) ??
      endorsementProblem(statement.identities, asked.device),
    unused: earlier === null || isOfThis ? null : 'the same evidence came before, with another request',
  };
}

/**
 * What was fresh when it came stays so while its request may wait: for an operator, and where one approved it in time, for its device. Evidence that was made beforehand, of keys
 * for later, is not. What it got already it gets again, which is nothing new.
 */
function isStillFresh(
  { fresh, certificate, seenAt }: EarlierEvidence,
  { approvals }: References,
  { approvedAt, time }: Pick<AskedOf, 'approvedAt' | 'time'>,
): boolean {
  if (!fresh || certificate !== null || seenAt === undefined || approvals === undefined) return fresh;
  const lifetime = approvals.lifetimeSeconds * 1000;
  const isApproved = approvedAt !== null && approvedAt < seenAt + lifetime;
  return time < (isApproved ? Math.max(approvedAt, seenAt) : seenAt) + lifetime;
}

function joined(problems: readonly (string | null)[]): string | null {
  const found = problems.filter((problem) => problem !== null);
  return found.length === 0 ? null : found.join('; ');
}

export function levelProblem(level: AssuranceLevel | null, template: Template | undefined): string | null {
  if (template?.keyProtection === 'declared' || isHardware(level)) return null;
  return `the template demands hardware, and the level is ${level ?? 'unknown'}`;
}

/** What we certified of an attestation key ourselves, we can take back. */
export function attesterProblem(
  attester: EvidenceObservation['attester'],
  device: DeviceObservation | null,
): string | null {
  if (!attester) return null;
  if (attester.compromised === true) return 'its attestation key was revoked as compromised';
  if (attester.revoked) return 'the certificate of its attestation key is revoked';
  if (attester.unknown === true) {
    return 'a CA of ours has signed the certificate of its attestation key, and nobody knows of it';
  }
  return attester.deviceId === null || attester.deviceId === device?.id
    ? null
    : `the certificate of its attestation key was issued to device ${attester.deviceId}`;
}

function isHardware(level: AssuranceLevel | null): boolean {
  return level !== null && level !== 'software' && level !== 'virtual-tpm';
}

/** An attestation key could attest its own kind, and an activation any key: each proves only what it is for. */
function templateProblem(format: EvidenceFormat | null, template: Template | undefined): string | null {
  const isActivated = template !== undefined && certifiesAttestationKeys(template);
  if (isActivated === (format === 'endorsement')) return null;
  return isActivated
    ? `template ${template.name} certifies attestation keys, which endorsement keys alone prove`
    : `template ${template?.name ?? '(none)'} certifies no attestation keys, and an endorsement key proves no others`;
}

const faultWords = ({ check, detail }: EvidenceFault) => `${check}: ${detail}`;

/** With the roots by whom evidence is believed for devices of the class. */
export function referenceValues(
  requirement: EvidenceRequirement,
  references: Pick<References, 'attestation'>,
): ReferenceValues {
  return {
    ...requirement,
    anchors: requirement.roots.flatMap((name) => {
      const anchors = named(references.attestation?.roots ?? {}, name);
      return anchors === undefined ? [] : [anchors];
    }),
  };
}

/** Octet for octet: nothing is folded, trimmed or normalised. */
export function deviceProblem(
  identities: NonNullable<Examination['statement']>['identities'],
  { device: { from, is, types } }: EvidenceRequirement,
  device: DeviceObservation | null,
): string | null {
  const attested = namesOf(identities, from, types);
  if (attested.length === 0) return `it names no ${from}, by which devices of this class are known`;
  if (device === null) return 'there is no device that it could be of';
  const expected =
    is === 'id' ? device.id : is === 'serialNumber' ? device.serialNumber : named(device.identifiers, is);
  if (expected === null || expected === undefined || expected === '') {
    return `the inventory has no ${is} of device ${device.id}, which evidence could name`;
  }
  return attested.includes(expected)
    ? null
    : `it is of ${attested.join(', ')}, and ${is} of device ${device.id} is ${expected}`;
}

/** A TPM that was replaced is the device's no more, whatever its attestation key was certified as. */
export function endorsementProblem(
  { endorsementKey }: NonNullable<Examination['statement']>['identities'],
  device: DeviceObservation | null,
): string | null {
  const expected = named(device?.identifiers ?? {}, 'ekSha256');
  if (endorsementKey === undefined || expected === undefined || endorsementKey === expected) return null;
  return `it is of endorsement key ${endorsementKey}, and device ${device?.id} has ${expected}`;
}

/** Of these types alone, where the name has one: a serial number is of its maker's. */
export function namesOf(
  identities: NonNullable<Examination['statement']>['identities'],
  from: EvidenceRequirement['device']['from'],
  types: readonly string[] | null,
): readonly string[] {
  const isOf = (type: string | null) => types === null || (type !== null && types.includes(type));
  switch (from) {
    case 'imei':
      return identities.imei ?? [];
    case 'permanentIdentifier': {
      const { value, assigner } = identities.permanentIdentifier ?? {};
      return value === undefined || !isOf(assigner ?? null) ? [] : [value];
    }
    case 'hardwareModule': {
      const { serialNumber, type } = identities.hardwareModule ?? {};
      return serialNumber === undefined || !isOf(type ?? null) ? [] : [serialNumber];
    }
    default: {
      const text = identities[from];
      return text === undefined ? [] : [text];
    }
  }
}
