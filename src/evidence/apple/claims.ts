export interface AppleClaims {
  readonly format: 'apple';
}
