/** What a certification request is to have, as the answer to EST's /csrattrs says it (RFC 7030 section 4.5.2). */
export interface CsrAttributesWishes {
  /** challengePassword is demanded: channel binding (RFC 7030 section 3.5). */
  readonly challengePassword: boolean;
  /** In order, one an RDN. Empty: nothing is demanded of the subject. */
  readonly subject: readonly SubjectAttributeWish[];
  readonly subjectAltName: readonly GeneralNameWish[];
  readonly key: KeyWish;
  /** By the names of RFC 5280. Empty: none is asked for. */
  readonly keyUsage: readonly string[];
  /** Dotted OIDs. Empty: none is asked for. */
  readonly extendedKeyUsage: readonly string[];
  /** Others than those above. */
  readonly extensions: readonly {
    readonly oid: string;
    readonly critical: boolean;
    /** The DER inside the OCTET STRING. */
    readonly value: Uint8Array;
  }[];
}

export interface SubjectAttributeWish {
  /** Dotted OID. */
  readonly type: string;
  /** null: the client fills it in. */
  readonly value: string | null;
}

export interface GeneralNameWish {
  readonly kind: 'dns' | 'uri' | 'email' | 'ip';
  /** null: the client fills it in. */
  readonly value: string | null;
}

/** The key that the client is to make. */
export type KeyWish =
  | { readonly kind: 'ec'; readonly curve: 'P-256' | 'P-384' }
  | { readonly kind: 'rsa'; readonly bits: number }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87' };
