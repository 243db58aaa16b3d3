import type * as z from 'zod';
import { extendedKeyUsages } from '#x509';

const attestationKey = extendedKeyUsages.tcgAttestationIdentityKey;
const longestSeconds = 31 * 86_400;

/**
 * A template of attestation keys has nothing to choose: what such a certificate names, and what its key is for, is what others believe of a TPM. And no other template
 * certifies them, or a key that is not restricted could attest whatever its holder makes up.
 */
export function demandAttestationKeys(
  settings: {
    authentication: string[];
    subject: unknown[];
    subjectAltName: unknown[];
    request: { subjectAltName: unknown[] };
    keyUsage: string[];
    extendedKeyUsage: string[];
    workflows: string[];
    channelBinding: string;
    serverKeygen?: string | undefined;
    extensions: unknown[];
    validity: number;
  },
  context: z.RefinementCtx,
): void {
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const { authentication, extendedKeyUsage, keyUsage } = settings;
  if (!authentication.includes('endorsement')) {
    const at = extendedKeyUsage.indexOf(attestationKey);
    if (at >= 0) {
      problem(
        ['extendedKeyUsage', at],
        'is for attestation keys of TPMs, which authentication: [endorsement] alone proves',
      );
    }
    return;
  }
  if (authentication.length > 1) {
    problem(['authentication'], 'endorsement stands alone: nothing else proves an attestation key');
  }
  if (extendedKeyUsage.join() !== attestationKey) {
    problem(['extendedKeyUsage'], 'must be tcgAttestationIdentityKey, and nothing else, with endorsement');
  }
  if (keyUsage.join() !== 'digitalSignature') {
    problem(['keyUsage'], 'must be digitalSignature, and nothing else, with endorsement');
  }
  if (settings.validity > longestSeconds) {
    problem(['validity'], 'must be at most 31d with endorsement: a TPM is asked again by then');
  }
  const chosen = {
    subject: settings.subject.length > 0,
    subjectAltName: settings.subjectAltName.length > 0,
    request: settings.request.subjectAltName.length > 0,
    workflows: settings.workflows.length > 0,
    channelBinding: settings.channelBinding !== 'optional',
    serverKeygen: settings.serverKeygen !== undefined,
    extensions: settings.extensions.length > 0,
  };
  for (const [key, isChosen] of Object.entries(chosen)) {
    if (isChosen) problem([key], 'has no place beside endorsement');
  }
}
