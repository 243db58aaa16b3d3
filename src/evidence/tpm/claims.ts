import type { TpmHash } from './algorithms.ts';
import type { SignatureForm } from './signed-attest.ts';
import type { TpmDevice } from './tpm-device.ts';
import type { ObjectAttribute } from './object-attributes.ts';

/** What a TPM's evidence says beside the key and the names of the device. */
export interface TpmClaims {
  /** `idevid`: signed by a key that the device's maker certified; `tpm`: by one that an attestation CA did. Each has anchors of its own. */
  readonly format: 'tpm' | 'idevid';
  /** Which statement it came in; of an AttestationBundle of older drafts also that a hint followed it. */
  readonly statement: 'attestation-object' | 'tcg-attest-tpm-certify' | 'tcg-attest-tpm-certify-with-hint';
  readonly hash: TpmHash;
  readonly signature: SignatureForm;
  /** Of the attested key: those that are set. */
  readonly attributes: readonly ObjectAttribute[];
  /** Hexadecimal; null: no policy authorizes its use. */
  readonly authPolicy: string | null;
  /** null of an IDevID that does not say it. */
  readonly device: TpmDevice | null;
  /** 16 hexadecimal digits. Nothing can be concluded from it: the TPM disguises it for most keys, and nobody can tell whether it did. */
  readonly firmwareVersion: string;
}

/** What the manufacturer's certificate of an endorsement key says of the TPM. */
export interface EndorsementClaims {
  readonly format: 'endorsement';
  /** null: it does not say it. */
  readonly device: TpmDevice | null;
}
