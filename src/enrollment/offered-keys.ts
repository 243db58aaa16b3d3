import { type ActivatedKeys, type ActivationRequest, endorsementSpki, examineActivation } from '#evidence';
import { type Certificate, type Der, equalBytes } from '#x509';
import { parsedIfAny } from './issuing-certificate.ts';

/** An attestation key, and the endorsement key whose TPM is to prove that it holds both. */
export interface OfferedKeys extends Pick<ActivationRequest, 'attestationKey' | 'creation'> {
  /** SubjectPublicKeyInfo. */
  readonly endorsementKey: Der;
  /** TPMT_PUBLIC; null: that of the template for such a key. */
  readonly endorsementArea: Uint8Array | null;
  /** That of the endorsement key, and others that it may lead to. */
  readonly certificates: readonly Der[];
  /** The message as it came: it is kept beside the log, once the secret has proven it. */
  readonly message: Uint8Array;
}

/** By one certificate of the endorsement key. A TPM may have several, of which one leads to a maker that is believed. */
export interface Endorsement {
  readonly keys: ActivatedKeys;
  readonly others: readonly Der[];
}

/** `fault`: of the first, where nothing is proven by any. `unread`: words for the log of certificates that were passed over. */
export type Examined = { readonly unread: string } & (
  | { readonly fault: null; readonly endorsements: readonly [Endorsement, ...Endorsement[]] }
  | { readonly fault: string; readonly endorsements: null }
);

export function examined({
  endorsementKey,
  endorsementArea,
  certificates,
  attestationKey,
  creation,
}: OfferedKeys): Examined {
  const parsed = certificates.flatMap(parsedIfAny);
  const passedOver = certificates.length - parsed.length;
  const unread =
    passedOver === 0 ? '' : `; ${passedOver} of ${certificates.length} certificates cannot be read`;
  const examinations = parsed
    .filter((each) => isOf(each, endorsementKey))
    .map((own) => ({
      ...examineActivation({
        endorsementCertificate: own.der,
        endorsementKey: endorsementArea,
        attestationKey,
        creation,
      }),
      others: parsed.filter((each) => each !== own).map(({ der }) => der),
    }));
  const [first, ...more] = examinations.flatMap(({ keys, others }) =>
    keys === null ? [] : [{ keys, others }],
  );
  if (first !== undefined) return { fault: null, endorsements: [first, ...more], unread };
  const fault = examinations[0]?.fault ?? {
    check: 'ek-certificate',
    detail: 'none that came with the endorsement key is its own',
  };
  return { fault: `${fault.check}: ${fault.detail}`, endorsements: null, unread };
}

function isOf(certificate: Certificate, endorsementKey: Der): boolean {
  try {
    return equalBytes(endorsementSpki(certificate), endorsementKey);
  } catch {
    return false;
  }
}
