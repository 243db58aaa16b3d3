export interface TpmClaims {
  readonly format: 'tpm';
}
