/** From 1 on, as a YubiKey numbers them. The last two are of YubiKey Bio. */
export const pinPolicies = ['never', 'once', 'always', 'match-once', 'match-always'] as const;
export type PinPolicy = (typeof pinPolicies)[number];

export const touchPolicies = ['never', 'always', 'cached'] as const;
export type TouchPolicy = (typeof touchPolicies)[number];

export const formFactors = [
  'usb-a-keychain',
  'usb-a-nano',
  'usb-c-keychain',
  'usb-c-nano',
  'usb-c-lightning',
  'usb-a-bio',
  'usb-c-bio',
] as const;
export type FormFactor = (typeof formFactors)[number];

/** null: not said, or a value of no meaning to us. */
export interface StepClaims {
  readonly format: 'step';
  /** The PIV application of a YubiKey, or a device that smallstep's own authority names. */
  readonly kind: 'yubikey' | 'managed-device';
  readonly firmware: string | null;
  /** Where the key is, such as 9a. */
  readonly slot: string | null;
  readonly pinPolicy: PinPolicy | null;
  readonly touchPolicy: TouchPolicy | null;
  readonly formFactor: FormFactor | null;
  readonly fips: boolean | null;
}
