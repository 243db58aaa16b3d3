import { type Der, equalBytes, inspectPublicKey } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import { digest, nameOf } from './algorithms.ts';
import { parseAttest } from './attest.ts';
import { parseCreationData } from './creation-data.ts';
import { requireStrongKey } from './key-strength.ts';
import { requireAttributes } from './object-attributes.ts';
import { type TpmtPublic, parsePublic, subjectPublicKeyInfoOf } from './public-area.ts';
import { isSignedBy, parseSignature } from './signature.ts';

/** The answers of TPM2_Create and of TPM2_CertifyCreation, signed by the new key itself. */
export interface Creation {
  /** TPMS_CREATION_DATA. */
  readonly data: Uint8Array;
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
}

/** A key that would attest, of a TPM that is not known yet. `of` alone makes one. */
export class AttestationKey {
  readonly spki: Der;
  /** By it the TPM finds the key: whoever activates a credential for the name has the key, with all that its public area says. */
  readonly name: Uint8Array;

  private constructor(spki: Der, name: Uint8Array) {
    this.spki = spki;
    this.name = name;
  }

  /** A key that never leaves its TPM and signs nothing that the TPM did not make. Throws as EndorsementKey does. */
  static of(publicArea: Uint8Array, creation: Creation | null): AttestationKey {
    const area = parsePublic(publicArea);
    const { attributes, key, nameAlg } = area;
    requireAttributes('ak', attributes, {
      set: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'sign'],
      clear: ['decrypt'],
    });
    requireScheme(area);
    const spki = subjectPublicKeyInfoOf(key);
    requireStrongKey(inspectPublicKey(spki), 'ak-strength');
    const name = nameOf(nameAlg, publicArea);
    if (creation !== null) requireCreation(creation, area, spki, name);
    return new AttestationKey(spki, name);
  }
}

const signingSchemes = ['rsassa', 'rsapss', 'ecdsa'];

function requireScheme({ scheme }: TpmtPublic): void {
  if (scheme !== null && signingSchemes.includes(scheme.name) && scheme.hash !== 'sha1') return;
  throw new EvidenceRefused('ak-scheme', 'the key signs by no scheme that we verify, or with SHA-1');
}

/** Creation data says where the key was made, and is of this key only where the TPM signed its digest beside the name. */
function requireCreation(
  { data, attest, signature }: Creation,
  { nameAlg }: TpmtPublic,
  spki: Der,
  name: Uint8Array,
): void {
  parseCreationData(data);
  const parsed = parseSignature(signature);
  if (parsed.hash === 'sha1' || !isSignedBy(parsed, spki, attest)) {
    throw new EvidenceRefused('ak-creation-signature', 'the creation is not signed by the key');
  }
  const { name: created, more: creationHash } = parseAttest(attest, 'creation');
  if (!equalBytes(created, name)) {
    throw new EvidenceRefused('ak-creation-name', 'the creation is of another key');
  }
  if (!equalBytes(creationHash, digest(nameAlg, data))) {
    throw new EvidenceRefused('ak-creation-hash', 'the creation data is of another creation');
  }
}
