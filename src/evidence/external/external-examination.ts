import type { Examination } from '../examination.ts';
import { sameOctets } from '../same-octets.ts';
import type { VerifierAnswer } from './answer.ts';

/** Evidence that only its vendor's service can read. */
export interface ExternalEvidence {
  /** What it calls itself: `fmt` of its attestation object. */
  readonly type: string;
  /** The attestation object, octet for octet. */
  readonly bytes: Uint8Array;
}

/** What a verifier has answered when it was asked about evidence that was to hold `nonce`. */
export function externalExamination(
  sha256: string,
  { verifier, type, nonce }: { verifier: string; type: string; nonce: Uint8Array },
  answer: VerifierAnswer,
): Examination {
  const seen = { sha256, format: 'external', certificates: [] } as const;
  if (answer.decision !== 'verified') {
    const { decision, code } = answer;
    const said = decision === 'refused' ? `${code} (answer ${answer.sha256})` : code;
    const fault = { check: `verifier-${decision}`, detail: `verifier ${verifier}, of ${type}: ${said}` };
    return { ...seen, fault, statement: null };
  }
  const { spki, level, code, identities } = answer;
  return {
    ...seen,
    fault: null,
    statement: {
      spki,
      fresh: sameOctets(answer.nonce, nonce) && answer.fresh,
      identities,
      claims: { format: 'external', verifier, type, level, code, answer: answer.sha256 },
    },
  };
}

/** Nobody could be asked, or nobody has answered: the same evidence may be taken another time. */
export function isUnanswered({ fault }: Pick<Examination, 'fault'>): boolean {
  return fault?.check === 'verifier-unavailable';
}
