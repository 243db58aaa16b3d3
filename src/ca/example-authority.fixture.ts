import { generateSoftwareKey, type KeyAlgorithm, type SoftwareKey } from '#keys';
import { defaultPolicies, type Facts, judge, loadBundle, type Verdict } from '#policy';
import { buildName, extendedKeyUsages } from '#x509';
import { hash } from 'node:crypto';
import { ceremony } from './ceremony.ts';
import { type Issuer, loadIssuer } from './issuer.ts';
import type { DeviceNames } from './name-pattern.ts';
import { randomSerialNumber } from './serial-number.ts';
import type { IssuePlan } from './tbs.ts';
import { expandNames, type RequestedNames } from './template-names.ts';
import type { Template } from './template.ts';

/* An authority with one template and one device, for the tests of this folder. */

export const day = 86_400_000;
export const noon = Date.UTC(2026, 10, 22, 12);
let drawn = 0;
/** Another one each time, the same ones in each run. */
export function serialNumber(): string {
  drawn += 1;
  return randomSerialNumber((octets) => hash('sha256', `serial ${drawn}`, 'buffer').subarray(0, octets));
}

export const template: Template = {
  name: 'wifi',
  issuer: 'devices',
  subject: [
    { type: 'organizationName', value: 'Example' },
    { type: 'commonName', value: '{device.id}' },
    { type: 'serialNumber', value: 'SN {device.serialNumber}' },
  ],
  subjectAltName: [
    { kind: 'dns', value: '{device.dnsName}', optional: false },
    { kind: 'uri', value: 'urn:device:{device.id}', optional: false },
    { kind: 'email', value: '{device.user}@example.org', optional: true },
    { kind: 'ip', value: '{device.address}', optional: true },
  ],
  request: {
    ignoredSubjectAttributes: ['countryName'],
    subjectAltName: [{ kind: 'dns', within: 'lab.example.org', maximum: 2 }],
  },
  keyAlgorithms: ['ec-p256', 'ec-p384', 'rsa-2048', 'ed25519', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'],
  keyProtection: 'declared',
  keyUsage: ['digitalSignature', 'keyEncipherment'],
  extendedKeyUsage: [extendedKeyUsages.clientAuth],
  validitySeconds: 30 * 86_400,
  renewalWindowSeconds: 10 * 86_400,
  authentication: ['secret'],
  renewal: { key: 'any', omittedNames: 'refused', changeSubjectName: false },
  channelBinding: 'optional',
  serverKeygen: null,
  policies: ['1.3.6.1.4.1.32473.1.1'],
  extensions: [{ oid: '1.3.6.1.4.1.32473.24', critical: false, value: '3003020105' }],
};

export const device: DeviceNames = {
  id: 'sensor-7',
  serialNumber: '4711',
  identifiers: { dnsName: 'sensor-7.example.org' },
};

export const asksNothing: RequestedNames = { subject: [], subjectAltName: [], extensions: [] };

export interface ExampleAuthority {
  readonly issuer: Issuer;
  readonly issuerKey: SoftwareKey;
  readonly rootKey: SoftwareKey;
}

export async function exampleAuthority(
  algorithm: KeyAlgorithm = 'ec-p256',
  name = 'devices',
): Promise<ExampleAuthority> {
  const rootKey = await generateSoftwareKey(algorithm);
  const issuerKey = await generateSoftwareKey(algorithm);
  const root = await ceremony.createRoot({
    subject: buildName([{ type: 'commonName', value: `Root of ${name}` }]),
    key: rootKey,
    serialNumber: serialNumber(),
    notBefore: noon - day,
    notAfter: noon + 3650 * day,
  });
  const certificate = await ceremony.signIssuer({
    root: { certificate: root, key: rootKey },
    subject: buildName([{ type: 'commonName', value: `Issuer of ${name}` }]),
    key: issuerKey,
    serialNumber: serialNumber(),
    notBefore: noon - day,
    notAfter: noon + 1825 * day,
    crlUrls: ['http://ca.example.org/root.crl'],
    caIssuersUrls: ['http://ca.example.org/root.cer'],
  });
  const issuer = await loadIssuer({ name, certificate: certificate.der, chain: [root.der], key: issuerKey });
  return { issuer, issuerKey, rootKey };
}

export function examplePlan(spki: Uint8Array, changes: Partial<IssuePlan> = {}): IssuePlan {
  const { subject, subjectAltName } = expandNames(changes.template ?? template, device, asksNothing);
  return {
    template,
    subject,
    subjectAltName,
    spki,
    serialNumber: serialNumber(),
    notBefore: noon,
    notAfter: noon + 30 * day,
    crlUrls: ['http://ca.example.org/devices.crl'],
    caIssuersUrls: ['http://ca.example.org/devices.cer'],
    ...changes,
  };
}

const bundle = loadBundle(defaultPolicies(), { templates: ['wifi'], deviceClasses: ['sensor'] });

/** By the real judge, over facts that prove everything; `changes` take some of the proof away. */
export function exampleVerdict(changes: Partial<Facts['context']> = {}, template = 'wifi'): Verdict {
  return judge(bundle, {
    action: 'enroll',
    deviceClass: 'sensor',
    template,
    context: { ...proven, ...changes },
    reasons: {},
  });
}

/** The verdict that lets a request in, and nothing more. */
export function exampleAdmission(): Verdict {
  const { segment, rate } = proven;
  return judge(bundle, {
    action: 'admit',
    deviceClass: 'unknown',
    template: 'wifi',
    context: { segment: segment!, rate: rate! },
    reasons: {},
  });
}

const proven: Facts['context'] = {
  segment: {
    listenerClass: 'enroll',
    protocolServed: true,
    templateServed: true,
    tlsFloorMet: true,
    sourceAllowed: true,
    managed: true,
    classAllowed: true,
  },
  rate: { source: true, device: true, template: true },
  secret: {
    known: true,
    notVoid: true,
    unexpired: true,
    unused: true,
    forTemplate: true,
    forRequest: true,
    forDevice: true,
  },
  device: { known: true, state: 'active', fresh: true },
  evidence: {
    required: false,
    offered: true,
    judged: true,
    sound: true,
    fresh: true,
    trusted: true,
    forKey: true,
    forDevice: true,
    unused: true,
    verified: true,
  },
  versions: { kept: true },
  attestingKey: { withinLimit: true },
  request: {
    possession: true,
    subject: true,
    subjectAltName: true,
    usage: true,
    endEntity: true,
    noSid: true,
    extensions: true,
  },
  key: { algorithmAllowed: true, originAllowed: true, strong: true, unshared: true },
  binding: { required: false, bound: false, contradicted: false },
  workflow: { required: false, agreed: false },
  account: {
    presented: false,
    valid: false,
    forTemplate: false,
    forRequest: false,
    withinNames: false,
    withinCount: false,
    authorized: false,
    approved: false,
  },
  template: { known: true, forClass: true, namesBuilt: true },
  approval: { required: false, granted: false, lifts: [], denied: false },
};
