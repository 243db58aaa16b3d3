export interface ExternalReference {
  /** Names of the verifiers that are believed. */
  readonly verifiers: readonly string[];
}
