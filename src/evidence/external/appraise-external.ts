import type { EvidenceFault } from '../examination.ts';
import { objectUnless } from '../objection.ts';
import type { ExternalClaims } from './claims.ts';
import type { ExternalReference } from './reference.ts';

export function appraiseExternal(
  { verifier }: ExternalClaims,
  { verifiers }: ExternalReference,
): readonly EvidenceFault[] {
  return objectUnless(verifiers.includes(verifier), 'verifier', `verifier ${verifier} is not believed here`);
}
