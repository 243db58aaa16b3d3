import { isSallyportError } from '#errors';
import type { Certificate, DerNode } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { Nonce } from '../evidence.ts';
import type { ReadStatement } from '../examination.ts';
import { sameOctets } from '../same-octets.ts';
import { isAttestationKeyCertificate } from './attestation-key-certificate.ts';
import { examineCertification, isDigestOf } from './certification.ts';
import { SignedAttest } from './signed-attest.ts';

/** TcgAttestTpmCertify: SEQUENCE { tpmSAttest, signature, tpmTPublic OPTIONAL }, all OCTET STRINGs. */
interface TcgAttestCertify {
  readonly attest: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicArea: Uint8Array;
}

/**
 * The statement tcg-attest-tpm-certify (2.23.133.20.1) of an AttestationBundle. Its certificates come in any order: the one of the attestation key is
 * that whose key signed, and comes first in the result.
 */
export function openTcgAttestCertify(
  value: DerNode,
  hasHint: boolean,
  certificates: readonly Certificate[],
): { readonly certificates: readonly Certificate[]; read(): ReadStatement } {
  const { attest, signature, publicArea } = parse(value);
  for (const candidate of certificates.filter(isAttestationKeyCertificate)) {
    const attested = verify(attest, signature, candidate);
    if (attested === null) continue;
    return {
      certificates: [candidate, ...certificates.filter((each) => each !== candidate)],
      read() {
        const { content, extraData } = examineCertification(
          attested,
          publicArea,
          hasHint ? 'tcg-attest-tpm-certify-with-hint' : 'tcg-attest-tpm-certify',
        );
        return { content, isFresh: (nonce) => holdsNonce(nonce, attested, extraData) };
      },
    };
  }
  throw new EvidenceRefused(
    'tpm-signature',
    'the attestation is signed by the key of none of the certificates',
  );
}

function parse(value: DerNode): TcgAttestCertify {
  const fields = value.sequence('TcgAttestTpmCertify');
  const attest = fields.next().octetString('tpmSAttest');
  const signature = fields.next().octetString('signature');
  // OPTIONAL, but the attestation has the name of the key only.
  const publicArea = fields.next().octetString('tpmTPublic');
  fields.finish();
  return { attest, signature, publicArea };
}

/** null too where the signature is none that such a key makes: it may be another's. */
function verify(attest: Uint8Array, signature: Uint8Array, candidate: Certificate): SignedAttest | null {
  try {
    return SignedAttest.verify(attest, signature, candidate, null);
  } catch (error) {
    if (isSallyportError(error, 'malformed', 'unsupported', 'too-large')) return null;
    throw error;
  }
}

/** draft-ietf-lamps-attestation-freshness-09 section 3.1: a nonce has 8 octets at least. */
const minimumNonceOctets = 8;

/**
 * draft-ietf-lamps-attestation-freshness-09 section 8: "the end entity MUST use the received nonce", and this type of statement defines no
 * transformation of it, so that it is the qualifying data itself, as tools write it. The longest, of 64 octets, has no room in TPMs whose longest digest
 * is shorter (TPM2B_DATA, section 10.4.3): its digest will do as well. Whoever knows either knew the nonce.
 */
function holdsNonce({ toBeSigned }: Nonce, attest: SignedAttest, extraData: Uint8Array): boolean {
  if (toBeSigned.length < minimumNonceOctets) return false;
  const isItself = sameOctets(extraData, toBeSigned);
  return isDigestOf(toBeSigned, attest, extraData) || isItself;
}
