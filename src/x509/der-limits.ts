/** Bounds on one DER input. Whatever is beyond them is refused as `too-large` before anything is allocated for it. */
export interface DerLimits {
  readonly maximumBytes: number;
  /** Levels of constructed elements. */
  readonly maximumDepth: number;
  /** Elements of all levels together. */
  readonly maximumElements: number;
}

/** For certificates, requests, keys and names. The largest honest one, an ML-DSA-87 certificate, has 10 kB. */
export const defaultDerLimits: DerLimits = {
  maximumBytes: 65_536,
  maximumDepth: 32,
  maximumElements: 4096,
};

/** For lists that grow with the fleet: CRLs. */
export const listDerLimits: DerLimits = {
  maximumBytes: 16 * 1024 * 1024,
  maximumDepth: 32,
  maximumElements: 2_000_000,
};
