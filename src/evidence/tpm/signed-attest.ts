import { type Certificate, type PublicKeyFacts, inspectPublicKey } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { TpmHash } from './algorithms.ts';
import { requireStrongKey } from './key-strength.ts';
import { type SignatureAlgorithm, type TpmSignature, isSignedBy, parseSignature } from './signature.ts';

/** A TPMS_ATTEST that is signed by the key of the certificate. `verify` alone makes one. */
export class SignedAttest {
  readonly octets: Uint8Array;
  readonly certificate: Certificate;
  readonly hash: TpmHash;
  readonly form: SignatureForm;

  private constructor(octets: Uint8Array, certificate: Certificate, hash: TpmHash, form: SignatureForm) {
    this.octets = octets;
    this.certificate = certificate;
    this.hash = hash;
    this.form = form;
  }

  /**
   * null: the key did not sign it. `algorithm`: what the statement says it is; null where it says nothing, and then a signature in no TPMT_SIGNATURE is
   * RSASSA or ECDSA with SHA-256. Throws EvidenceRefused for a weak key, `malformed`, `unsupported` or `too-large`.
   */
  static verify(
    octets: Uint8Array,
    sent: Uint8Array,
    certificate: Certificate,
    algorithm: SignatureAlgorithm | null,
  ): SignedAttest | null {
    const facts = inspectPublicKey(certificate.spki);
    const form = formOf(sent, facts);
    const signature = form === 'tpmt' ? parseSignature(sent) : rawSignature(sent, facts, algorithm);
    if (algorithm !== null) requireHash(signature, algorithm);
    if (!isSignedBy(signature, certificate.spki, octets)) return null;
    requireStrongKey(facts, 'tpm-certificate-key');
    return new SignedAttest(octets, certificate, signature.hash, form);
  }
}

/** TPMT_SIGNATURE, or what is inside it alone. */
export type SignatureForm = 'tpmt' | 'raw';

/** Of an Ecdsa-Sig-Value (RFC 3279 section 2.2.3); no TPMT_SIGNATURE begins with it. */
const sequenceTag = 0x30;

/** step's clients send the TPMT_SIGNATURE that WebAuthn asks for, Windows and all that follows it what is inside. */
function formOf(sent: Uint8Array, { algorithm, bits }: PublicKeyFacts): SignatureForm {
  const isRaw = algorithm.startsWith('rsa-') ? sent.length * 8 === bits : sent[0] === sequenceTag;
  return isRaw ? 'raw' : 'tpmt';
}

function rawSignature(
  octets: Uint8Array,
  facts: PublicKeyFacts,
  algorithm: SignatureAlgorithm | null,
): TpmSignature {
  if (algorithm !== null) return { ...algorithm, octets };
  return { scheme: facts.algorithm.startsWith('rsa-') ? 'rsassa' : 'ecdsa', hash: 'sha256', octets };
}

/** A TPMT_SIGNATURE names its own scheme, and `alg` of step 0.29 is that of the attested key, whichever key signs: only the hash is the same by all accounts. */
function requireHash(signature: TpmSignature, { hash }: SignatureAlgorithm): void {
  if (signature.hash === hash) return;
  throw new EvidenceRefused('tpm-algorithm', 'the signature is of another hash than alg');
}
