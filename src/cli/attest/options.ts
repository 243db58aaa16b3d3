import { SallyportError } from '#errors';
import type { TpmKeyAlgorithm } from './tpm.ts';

export interface AttestOptions {
  readonly est?: string;
  readonly scep?: string;
  readonly trust: string;
  readonly attestationKey?: string;
  readonly attestationCertificate?: string;
  readonly attestationCa?: string;
  readonly endorsementCertificate?: string;
  readonly out: string;
  readonly subject?: string;
  readonly secret?: string;
  readonly user?: string;
  readonly renew?: string;
  readonly key?: TpmKeyAlgorithm;
  readonly nonce?: string;
  readonly handle?: string;
  readonly wait: string;
  readonly dryRun?: true;
}

/** Throws 'usage'. */
export function requireFitting(options: AttestOptions): void {
  const { est, scep, subject, secret, renew, key, nonce } = options;
  const { attestationCa, attestationKey, attestationCertificate } = options;
  const problems: readonly (readonly [boolean, string])[] = [
    [est === undefined && scep === undefined, 'say with --est or --scep where to enroll'],
    [
      attestationCa === undefined && (attestationKey === undefined || attestationCertificate === undefined),
      'say with --attestation-ca who certifies an attestation key, or with --attestation-key and --attestation-certificate which one is certified',
    ],
    [attestationCa?.startsWith('http:') === true, 'attestation CAs are asked over https alone'],
    [est?.startsWith('http:') === true, 'EST is over https alone'],
    [
      scep?.startsWith('http:') === true,
      'SCEP is over https here: over http whoever has a certificate of the same CA could pass for its RA, and read the secret',
    ],
    [
      renew === undefined && (subject === undefined || secret === undefined),
      'say with --subject whose certificate it is to be and with --secret who asks, or with --renew what is renewed',
    ],
    [
      scep !== undefined && renew !== undefined,
      'renew over EST: it gives a nonce to who has a certificate, whatever that came by',
    ],
    [
      scep !== undefined && nonce === undefined,
      'SCEP gives out no nonce: say with --nonce the one that came with the secret',
    ],
    [scep !== undefined && key === 'ec-p256', 'SCEP knows RSA keys alone'],
  ];
  const found = problems.find(([isSo]) => isSo);
  if (found !== undefined) throw new SallyportError('usage', found[1]);
}
