import type { StatementReader } from '../examine.ts';
import { EvidenceRefused } from '../evidence-refused.ts';
import { examineCertification, isDigestOf } from './certification.ts';
import { signatureAlgorithmOf } from './signature.ts';
import { SignedAttest } from './signed-attest.ts';

/**
 * The attestation statement `tpm` (WebAuthn Level 3 section 8.3) with the key authorization in place of authData and clientDataHash
 * (draft-ietf-acme-device-attest-09 section 5).
 */
export const readTpmStatement: StatementReader = (statement, [leaf]) => {
  statement.requireNames(['ver', 'alg', 'x5c', 'sig', 'certInfo', 'pubArea']);
  if (statement.text('ver') !== '2.0') throw new EvidenceRefused('tpm-version', 'not of a TPM 2.0');
  const algorithm = signatureAlgorithmOf(statement.integer('alg'));
  const attest = SignedAttest.verify(statement.bytes('certInfo'), statement.bytes('sig'), leaf!, algorithm);
  if (attest === null) {
    throw new EvidenceRefused('tpm-signature', 'the attestation is not signed by the key of the certificate');
  }
  const { content, extraData } = examineCertification(
    attest,
    statement.bytes('pubArea'),
    'attestation-object',
  );
  return { content, isFresh: ({ toBeSigned }) => isDigestOf(toBeSigned, attest, extraData) };
};
