import type { Name } from '#x509';
import type { ReferenceValues } from '../appraisal.ts';
import {
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
import { keyDescriptionOid } from './chain.ts';
import { keyDescription } from './key-description.fixture.ts';
import type { AndroidReference } from './reference.ts';

type Role = 'target' | 'attestation' | 'server' | 'intermediate' | 'root';

export interface AndroidRecipe {
  readonly provisioning: 'factory' | 'remote';
  readonly description: Uint8Array;
  /** What is otherwise in a certificate. */
  readonly certificates: Partial<Record<Role, Partial<Recipe>>>;
  /** What else is in the statement, or in the place of what is. */
  readonly statement: Readonly<Record<string, unknown>>;
}

export const keys = {
  target: keyPair(),
  attestation: keyPair(),
  server: keyPair(),
  intermediate: keyPair(),
  root: keyPair(),
};

const names: Record<AndroidRecipe['provisioning'], Record<Role, Name>> = {
  remote: {
    target: named({ commonName: 'Android Keystore Key' }),
    attestation: named({ commonName: '65d2949536924da695f5ae1eb290cd4d', organizationName: 'TEE' }),
    server: named({ organizationName: 'Google LLC', commonName: 'Droid CA3' }),
    intermediate: named({ organizationName: 'Google LLC', commonName: 'Droid CA2' }),
    root: named({ commonName: 'Key Attestation Root of Tests' }),
  },
  factory: {
    target: named({ commonName: 'Android Keystore Key' }),
    attestation: named({ title: 'TEE', serialNumber: 'a0b63a35743673b7' }),
    server: [],
    intermediate: named({ title: 'TEE', serialNumber: 'e18c4f2ca699739a' }),
    root: named({ commonName: 'Key Attestation Root of Tests' }),
  },
};

const serialNumbers = { target: '01', attestation: '0aff', server: '0b', intermediate: '0c', root: '0d' };

/** The target first, the root last. */
export function androidChain({
  provisioning = 'remote',
  description = keyDescription(),
  certificates = {},
}: Partial<AndroidRecipe> = {}): Uint8Array[] {
  const remote: Role[] = ['target', 'attestation', 'server', 'intermediate', 'root'];
  const roles = remote.filter((role) => role !== 'server' || provisioning === 'remote');
  const keyDescriptionExtension = extension(keyDescriptionOid, description);
  return roles.map((role, at) => {
    const above = roles[at + 1] ?? 'root';
    const isTarget = role === 'target';
    return issue({
      subject: names[provisioning][role],
      issuer: names[provisioning][above],
      key: keys[role],
      by: keys[above],
      serialNumber: serialNumbers[role],
      // A device whose clock has never been set.
      notBefore: isTarget ? 0 : now - 10 * day,
      notAfter: isTarget ? day : now + 10 * day,
      extensions: isTarget ? [keyDescriptionExtension] : [ca],
      ...certificates[role],
    });
  });
}

export function androidEvidence(recipe: Partial<AndroidRecipe> = {}): Evidence {
  const bytes = attestationObject('android-key', { x5c: androidChain(recipe), ...recipe.statement });
  return { envelope: 'attestation-object', bytes };
}

export const signature = { alg: -7, sig: signedBy(keys.target, nonce.toBeSigned) };

export const root = androidChain().at(-1)!;

export function androidValues(changed: Partial<AndroidReference> = {}): ReferenceValues {
  return {
    anchors: [anchorsOf('android-key', [root])],
    levels: ['tee', 'strongbox'],
    android: {
      verifiedBootStates: ['verified'],
      verifiedBootKeys: null,
      dangerouslyAllowUnlocked: false,
      minimumOsPatchLevel: 202_608,
      minimumVendorPatchLevel: 20_260_805,
      minimumBootPatchLevel: 20_260_801,
      minimumAttestationVersion: 300,
      requireRemoteProvisioning: true,
      purposes: ['sign'],
      requireTagOrder: true,
      ...changed,
    },
  };
}
