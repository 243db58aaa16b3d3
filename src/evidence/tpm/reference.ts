/** What the evidence of a TPM must say for devices of one class. */
export interface TpmReference {
  /** Takes attestations signed with SHA-1, as Windows makes them: who finds a collision there has attested what no TPM saw. */
  readonly sha1: boolean;
  /** Takes TPMs of a manufacturer that TCG does not know, which nothing keeps from being software. */
  readonly unregisteredManufacturers: boolean;
  /** Ids as in TpmDevice; null: all. */
  readonly manufacturers: readonly string[] | null;
  /** By manufacturer, the least version of eight hexadecimal digits that the certificate of the attestation key has. Of others any will do. */
  readonly minimumVersions: Readonly<Record<string, string>>;
  /** Digests in hexadecimal: the key's use takes one of these policies, and no password in its place. null: whatever it takes. */
  readonly authPolicies: readonly string[] | null;
}
