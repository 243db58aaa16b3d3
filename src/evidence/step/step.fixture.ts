import { encode } from 'cborg';
import { type Extension, der } from '#x509';
import type { ReferenceValues } from '../appraisal.ts';
import {
  type KeyPair,
  type Recipe,
  anchorsOf,
  attestationObject,
  ca,
  day,
  extension,
  issue,
  keyPair,
  named,
  nonce,
  now,
  signedBy,
} from '../evidence.fixture.ts';
import type { Evidence } from '../evidence.ts';
import type { StepReference } from './reference.ts';

type Role = 'leaf' | 'f9' | 'root';

export const keys = { leaf: keyPair(), f9: keyPair('rsa-2048'), root: keyPair('rsa-2048') };

export const names = {
  leaf: named({ commonName: 'YubiKey PIV Attestation 9a' }),
  f9: named({ commonName: 'Yubico PIV Attestation of Tests' }),
  root: named({ commonName: 'Yubico PIV Root CA of Tests' }),
};

/** By OID; null leaves one out. */
export type Properties = Readonly<Record<string, Uint8Array | null>>;

export const firmware = '1.3.6.1.4.1.41482.3.3';
export const serialNumber = '1.3.6.1.4.1.41482.3.7';
export const policies = '1.3.6.1.4.1.41482.3.8';
export const formFactor = '1.3.6.1.4.1.41482.3.9';
export const managedDevice = '1.3.6.1.4.1.37476.9000.64.4';

/** As they were read from a key of firmware 5.7.1. */
export const properties: Properties = {
  [firmware]: Uint8Array.of(5, 7, 1),
  [serialNumber]: der.integer(29_177_301),
  [policies]: Uint8Array.of(2, 3),
  [formFactor]: Uint8Array.of(3),
};

export interface StepRecipe {
  readonly properties: Properties;
  readonly certificates: Partial<Record<Role, Partial<Recipe>>>;
  readonly statement: Readonly<Record<string, unknown>>;
}

export function stepExtensions(changed: Properties = {}): Extension[] {
  return Object.entries({ ...properties, ...changed }).flatMap(([oid, value]) =>
    value === null ? [] : [extension(oid, value)],
  );
}

/** The leaf first, the root last. */
export function stepChain({
  properties: changed = {},
  certificates = {},
}: Partial<StepRecipe> = {}): Uint8Array[] {
  const roles: Role[] = ['leaf', 'f9', 'root'];
  return roles.map((role, at) => {
    const above = roles[at + 1] ?? 'root';
    return issue({
      subject: names[role],
      issuer: names[above],
      key: keys[role],
      by: keys[above],
      serialNumber: `0${at + 1}`,
      notBefore: now - 10 * day,
      notAfter: now + 10 * day,
      extensions: role === 'leaf' ? stepExtensions(changed) : [ca],
      ...certificates[role],
    });
  });
}

export function signature(
  key: KeyPair = keys.leaf,
  data: Uint8Array = nonce.toBeSigned,
): { alg: number; sig: Uint8Array } {
  const alg = { 'ec-p256': -7, 'ec-p384': -35, 'rsa-2048': -257, ed25519: -8 }[key.algorithm];
  return { alg, sig: encode(signedBy(key, data)) };
}

export function stepEvidence(recipe: Partial<StepRecipe> = {}): Evidence {
  const x5c = stepChain(recipe).slice(0, -1);
  const bytes = attestationObject('step', { ...signature(), x5c, ...recipe.statement });
  return { envelope: 'attestation-object', bytes };
}

export const root = stepChain().at(-1)!;

export function stepValues(changed: Partial<StepReference> = {}): ReferenceValues {
  return {
    anchors: [anchorsOf('step', [root])],
    levels: ['security-key'],
    step: {
      minimumFirmware: '5.7.0',
      pinPolicies: ['once', 'always'],
      touchPolicies: ['always', 'cached'],
      formFactors: ['usb-a-keychain', 'usb-c-keychain'],
      ...changed,
    },
  };
}
