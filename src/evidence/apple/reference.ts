/** null, or false: nothing is asked. Versions are numbers with dots. */
export interface AppleReference {
  readonly minimumOsVersion: string | null;
  readonly minimumSepOsVersion: string | null;
  /** Of a Mac, as what follows: other devices say nothing of it, and are refused where it is asked. */
  readonly requireSystemIntegrityProtection: boolean;
  /** The LocalPolicy is Full Security. */
  readonly requireFullSecurity: boolean;
  readonly forbidThirdPartyKernelExtensions: boolean;
}
