import { hash } from 'node:crypto';
import type { Der } from '#x509';
import type { Examination } from '../examination.ts';
import type { AttestationKey } from './attestation-key.ts';
import type { EndorsementKey } from './endorsement-key.ts';

/**
 * What is proven of an attestation key when the TPM of the endorsement key has recovered what was made for both. `fresh`: it has, in time; null: nobody has said
 * so yet. `sent`: other certificates that came with that of the endorsement key.
 */
export function activationEvidence(
  { endorsementKey, attestationKey }: ActivatedKeys,
  { sha256, sent, fresh }: { sha256: string; sent: readonly Der[]; fresh: boolean | null },
): Examination {
  const { certificate, spki, device } = endorsementKey;
  return {
    sha256,
    format: 'endorsement',
    fault: null,
    certificates: [certificate.der, ...sent].map((each) => Buffer.from(each).toString('base64')),
    statement: {
      spki: hash('sha256', attestationKey.spki),
      fresh,
      identities: { endorsementKey: hash('sha256', spki) },
      claims: { format: 'endorsement', device },
    },
  };
}

export interface ActivatedKeys {
  readonly endorsementKey: EndorsementKey;
  readonly attestationKey: AttestationKey;
}
