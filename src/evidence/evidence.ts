/** Each has trust anchors of its own: a root of one never vouches for another. `endorsement` is in no envelope: it is proven by an activation. */
export const anchoredFormats = ['tpm', 'idevid', 'apple', 'android-key', 'step', 'endorsement'] as const;
export type AnchoredFormat = (typeof anchoredFormats)[number];
/** `external`: whatever calls itself by no name that we read. A verifier outside is asked, and no root vouches for it. */
export const evidenceFormats = [...anchoredFormats, 'external'] as const;
export type EvidenceFormat = (typeof evidenceFormats)[number];

/** Of which each issuer signs a list of its own (CRL): makers of TPMs, attestation CAs, makers of devices. */
export const listedFormats = ['tpm', 'idevid', 'endorsement'] as const satisfies readonly EvidenceFormat[];
export type ListedFormat = (typeof listedFormats)[number];

/** Evidence (RFC 9334 section 4.2) as it came, in the envelope that its protocol has for it. */
export type Evidence =
  /** A WebAuthn attestation object in CBOR, as device-attest-01 has it. */
  | { readonly envelope: 'attestation-object'; readonly bytes: Uint8Array }
  /** The value of the attribute of a CSR: an AttestationBundle in DER. */
  | { readonly envelope: 'attestation-bundle'; readonly bytes: Uint8Array };

/** What we gave to the device so that its evidence can be no older (RFC 9334 section 10.2). */
export interface Nonce {
  /** attToBeSigned: the key authorization of an ACME challenge, or the nonce of EST and SCEP. */
  readonly toBeSigned: Uint8Array;
  /** For formats that are signed elsewhere before the account is known, as Apple's is: the token of the challenge, or the same nonce. */
  readonly token: Uint8Array;
}

/** How well a kind of hardware keeps a key; nothing here is an order. */
export const assuranceLevels = [
  'software',
  'virtual-tpm',
  'firmware-tpm',
  'discrete-tpm',
  'tee',
  'strongbox',
  'secure-enclave',
  'security-key',
] as const;
export type AssuranceLevel = (typeof assuranceLevels)[number];
