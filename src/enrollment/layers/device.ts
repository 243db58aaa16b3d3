import type { Context } from '#policy';
import type { DeviceObservation, EvidenceObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

export function deriveDevice(device: DeviceObservation | null): Finding<NonNullable<Context['device']>> {
  const facts = {
    known: device !== null,
    state: device?.state ?? ('unknown' as const),
    fresh: device !== null && !device.otherKeyCurrent,
  };
  const finding = new Finding(facts);
  if (device === null) {
    return finding.because('device-known', false, 'the credential names no device of the inventory');
  }
  return finding
    .because(
      'device-state',
      device.state === 'expected' || device.state === 'active',
      `device ${device.id} is ${device.state}`,
    )
    .because(
      'enrollment-again',
      facts.fresh,
      `device ${device.id} has a current certificate of this template for another key: it was set up anew, or somebody has copied its identity`,
    );
}

/** Without a device or a template nobody knows that evidence may be lacking: then it is required. */
export function deriveEvidence(
  evidence: EvidenceObservation | null,
  references: References,
  deviceClass: string | null,
  template: string | null,
): Finding<NonNullable<Context['evidence']>> {
  const ofClass = named(references.deviceClasses, deviceClass);
  const ofTemplate = named(references.templates, template);
  const byClass = ofClass?.attestation !== 'none';
  const byTemplate =
    ofTemplate?.keyProtection !== 'declared' ||
    ofTemplate.authentication.every((layer) => layer === 'attestation');
  const facts = {
    required: byClass || byTemplate,
    offered: evidence !== null && evidence.offered.length > 0,
    verified: false,
  };
  const words = byClass
    ? `devices of class ${deviceClass ?? 'unknown'} must attest`
    : `template ${template} demands a key proven to be in hardware`;
  return new Finding(facts).because('attestation', !facts.required, `${words}, and no evidence was offered`);
}
