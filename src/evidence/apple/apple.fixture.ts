import { hash } from 'node:crypto';
import type { Extension } from '#x509';
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
} from '../evidence.fixture.ts';
import type { Evidence } from '../evidence.ts';
import type { AppleReference } from './reference.ts';

export const keys = { leaf: keyPair('ec-p384'), sub: keyPair('ec-p384'), root: keyPair('ec-p384') };

const names = {
  leaf: named({ commonName: 'leaf' }),
  sub: named({ commonName: 'Sub CA of Tests', organizationName: 'Apple Inc.' }),
  root: named({ commonName: 'Root CA of Tests', organizationName: 'Apple Inc.' }),
};

type Role = 'leaf' | 'sub' | 'root';

/** By the last arcs of 1.2.840.113635.100.8; null leaves one out. */
export type Properties = Readonly<Record<string, Uint8Array | string | null>>;

/** As a Mac has them: text and numbers are octets without a type, or not. */
export const properties: Properties = {
  '9.1': 'C02XG2JHJG5H',
  '9.2': '00008103-000A1D2E0E90001E',
  '9.4': 'J413AP',
  '10.1': '26.1',
  '10.2': '26.0.1',
  '10.3': '18000.40.12',
  '11.1': hash('sha256', nonce.token, 'buffer'),
  '13.1': '0',
  '13.2': 'Full Security',
  '13.3': Uint8Array.of(2, 1, 0),
};

export function appleExtensions(changed: Properties = {}): Extension[] {
  return Object.entries({ ...properties, ...changed }).flatMap(([arcs, value]) =>
    value === null ? [] : [extension(`1.2.840.113635.100.8.${arcs}`, Buffer.from(value))],
  );
}

/** The leaf first, the root last. */
export function appleChain(
  changed: Properties = {},
  certificates: Partial<Record<Role, Partial<Recipe>>> = {},
): Uint8Array[] {
  const roles: Role[] = ['leaf', 'sub', 'root'];
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
      extensions: role === 'leaf' ? appleExtensions(changed) : [ca],
      ...certificates[role],
    });
  });
}

export function appleEvidence(
  changed: Properties = {},
  certificates: Partial<Record<Role, Partial<Recipe>>> = {},
): Evidence {
  const x5c = appleChain(changed, certificates).slice(0, -1);
  return { envelope: 'attestation-object', bytes: attestationObject('apple', { x5c }) };
}

export const root = appleChain().at(-1)!;

export function appleValues(changed: Partial<AppleReference> = {}): ReferenceValues {
  return {
    anchors: [anchorsOf('apple', [root])],
    levels: ['secure-enclave'],
    apple: {
      minimumOsVersion: '26.1',
      minimumSepOsVersion: '26.0.1',
      requireSystemIntegrityProtection: true,
      requireFullSecurity: true,
      forbidThirdPartyKernelExtensions: true,
      ...changed,
    },
  };
}
