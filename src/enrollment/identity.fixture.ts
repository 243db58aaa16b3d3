import type { Template } from '#ca';
import { buildName, type GeneralName, oids } from '#x509';
import type { DeviceObservation, PresenterObservation, RequestObservation } from './observations.ts';
import type { IdentityReference, References } from './references.ts';

export const noon = Date.UTC(2026, 10, 22, 12);
export const day = 86_400_000;

/** A digest by one of its octets. */
export const digest = (octet: string): string => octet.repeat(32);
export const makerCa = digest('ca');
const middleCa = digest('cb');
export const raCertificate = digest('0a');

export const idevid: IdentityReference = {
  kind: 'idevid',
  device: 'serialNumber',
  from: ['hardwareModuleName', 'serialNumber'],
  hardwareTypes: null,
  classes: ['laptop'],
  templates: ['device'],
  certificates: [makerCa],
};
export const ra: IdentityReference = {
  ...idevid,
  kind: 'ra',
  device: 'id',
  from: ['commonName'],
  certificates: [raCertificate],
};

/** With these identities, and with nothing else that deriving an identity may read. */
export function referencesWith(identities: Readonly<Record<string, IdentityReference>>): References {
  const limit = { burst: 1, count: 1, periodSeconds: 1 };
  const limits = { source: limit, device: limit, template: limit, templates: {} };
  return { listeners: {}, templates: {}, deviceClasses: {}, issuers: {}, identities, limits };
}

/** Two certificates of one CA above: of the maker, for the device below, and good in every respect. */
export function presenterOf(changed: Partial<PresenterObservation> = {}): PresenterObservation {
  const validity = { notBefore: noon - day, notAfter: noon + day };
  const sha256 = digest('1d');
  return {
    sha256,
    spki: digest('2d'),
    subject: buildName([{ type: 'serialNumber', value: 'SN-1' }]),
    subjectAltName: [],
    ...validity,
    selfSigned: false,
    isCa: false,
    keyUsage: null,
    extendedKeyUsage: null,
    hardwareModule: null,
    path: [sha256, middleCa, makerCa].map((each) => ({ sha256: each, ...validity, extendedKeyUsage: null })),
    issuedBy: null,
    record: null,
    ...changed,
  };
}

/** What a SAN with a HardwareModuleName shows. Deriving does not parse it again. */
export function hardwareModule(serialNumber: string | null, type = '1.3.6.1.4.1.32473.7') {
  const name: GeneralName = { kind: 'otherName', type: oids.hardwareModuleName, value: 'MAA=' };
  return {
    subjectAltName: [name],
    hardwareModule: serialNumber === null ? null : { type, serialNumber },
  };
}

export const device: DeviceObservation = {
  id: 'device-1',
  serialNumber: 'SN-1',
  deviceClass: 'laptop',
  state: 'expected',
  identifiers: {},
  otherKeyCurrent: false,
};

export const request: RequestObservation = {
  subject: buildName([{ type: 'commonName', value: 'device-1' }]),
  subjectAltName: [],
  extensions: [],
  changeSubjectName: null,
  spki: digest('3d'),
  possession: true,
  channelBinding: 'absent',
};

export const template: Template = {
  name: 'device',
  issuer: 'issuing',
  subject: [{ type: 'commonName', value: '{device.id}' }],
  subjectAltName: [],
  request: { ignoredSubjectAttributes: [], subjectAltName: [] },
  keyAlgorithms: ['ec-p256'],
  keyProtection: 'declared',
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
  validitySeconds: 86_400,
  renewalWindowSeconds: 86_400,
  renewal: { key: 'any', omittedNames: 'refused', changeSubjectName: false },
  channelBinding: 'optional',
  serverKeygen: null,
  authentication: ['secret', 'idevid', 'mdm', 'ra'],
  policies: [],
  extensions: [],
};
