export interface AndroidClaims {
  readonly format: 'android-key';
}
