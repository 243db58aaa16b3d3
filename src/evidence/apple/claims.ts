/** What Apple attests of a device. null: Apple has not confirmed it; `unknown`: a value that we cannot tell the meaning of. Neither is ever good. */
export interface AppleClaims {
  readonly format: 'apple';
  readonly osVersion: string | null;
  /** Of the operating system on the Secure Enclave. */
  readonly sepOsVersion: string | null;
  /** Of the Low-Level Bootloader. */
  readonly llbVersion: string | null;
  /** The model, as Apple names it for updates. */
  readonly softwareUpdateDeviceId: string | null;
  readonly systemIntegrityProtection: 'enabled' | 'disabled' | 'unknown' | null;
  readonly secureBoot: 'full' | 'reduced' | 'permissive' | 'unknown' | null;
  readonly thirdPartyKernelExtensions: 'forbidden' | 'allowed' | 'unknown' | null;
}
