import type { Examination, Statement } from '#evidence';
import { device, digest, noon, template } from '../identity.fixture.ts';

export type Claims = Statement['claims'];

/** The key that is attested, and that of the device's TPM. */
export const key = digest('4d');
export const ekSha256 = digest('5d');

const byEndorsementKey = { from: 'endorsementKey', is: 'ekSha256', types: null } as const;
const values = { unregisteredManufacturers: false, manufacturers: null, minimumVersions: {} };

/** A class that demands evidence, and believes no root. */
export const takesBoth = {
  name: device.deviceClass,
  attestation: 'required',
  evidence: {
    tpm: {
      roots: [],
      levels: null,
      device: byEndorsementKey,
      tpm: { ...values, sha1: false, authPolicies: null },
    },
    endorsement: { roots: [], levels: null, device: byEndorsementKey, endorsement: values },
  },
  approval: 'policy',
  templates: null,
  listeners: null,
  maximumValiditySeconds: null,
} as const;

export const tpm = {
  format: 'tpm',
  statement: 'tcg-attest-tpm-certify',
  hash: 'sha256',
  signature: 'tpmt',
  attributes: [],
  authPolicy: null,
  device: null,
  firmwareVersion: '',
} as const satisfies Claims;

/** Of a phone, by a key of its factory. */
export const phone = {
  format: 'android-key',
  attestationVersion: 300,
  attestationSecurityLevel: 'tee',
  keyMintVersion: 300,
  keyMintSecurityLevel: 'tee',
  chainSecurityLevel: null,
  provisioning: 'factory',
  tagsInOrder: true,
  origin: 'generated',
  purposes: ['sign'],
  rootOfTrust: {
    verifiedBootKey: '',
    deviceLocked: true,
    verifiedBootState: 'verified',
    verifiedBootHash: null,
  },
  osVersion: null,
  osPatchLevel: null,
  vendorPatchLevel: null,
  bootPatchLevel: null,
  brand: null,
  device: null,
  product: null,
  manufacturer: null,
  model: null,
} as const satisfies Claims;

/** Of a TPM's evidence for the key that is attested. */
export const examined: Examination & { readonly statement: Statement } = {
  sha256: digest('1e'),
  format: 'tpm',
  fault: null,
  certificates: [],
  statement: { spki: key, fresh: true, identities: {}, claims: tpm },
};

/** By the device that has the TPM, for the key that is attested. */
export const asked = {
  device: { ...device, identifiers: { ekSha256 } },
  template: template.name,
  spki: key,
  issued: null,
  approvedAt: null,
  time: noon,
};
