import type { Name } from '#x509';
import { chainPayloads, uuidOf } from '../trust/certificate-payload.ts';
import { sha1Of, sha256Of } from '../trust/fingerprint.ts';
import { type PropertyValue, renderPropertyList } from '../trust/property-list.ts';
import { type AlternativeName, toldNames } from './alternative-names.ts';
import { keyUsageBits } from './key-usage-bits.ts';
import type { Challenge, DeviceService } from './profile.ts';
import { rsaKeyBits } from './rsa-key-bits.ts';

/**
 * An Apple configuration profile with the payload com.apple.security.scep and the chain (Device Management, github.com/apple/device-management:
 * mdm/profiles/com.apple.security.scep.yaml). Not signed. Another profile for the same device and template replaces the one that is installed.
 */
export function renderAppleProfile(service: DeviceService, challenge: Challenge): string {
  const { authority, device, template, chain } = service;
  const identifier = `sallyport.scep.${template.name}.${uuidOf('device', device)}`;
  const hashes = chain.path.map(({ certificate }) => sha256Of(certificate));
  return renderPropertyList({
    PayloadContent: [
      ...chainPayloads(identifier, chain),
      {
        PayloadContent: scepPayload(service, challenge),
        PayloadDescription: `Gets a certificate of template ${template.name} for ${device}.`,
        PayloadDisplayName: `${device} (${template.name})`,
        PayloadIdentifier: `${identifier}.scep`,
        PayloadType: 'com.apple.security.scep',
        PayloadUUID: uuidOf('scep', identifier, challenge.id),
        PayloadVersion: 1,
      },
    ],
    PayloadDescription: `Enrolls ${device} with the certification authority of ${authority}.`,
    PayloadDisplayName: `${authority} (${template.name})`,
    PayloadIdentifier: identifier,
    PayloadOrganization: authority,
    PayloadScope: 'System',
    PayloadType: 'Configuration',
    PayloadUUID: uuidOf('profile', identifier, ...hashes, challenge.id),
    PayloadVersion: 1,
  });
}

function scepPayload(service: DeviceService, { secret }: Challenge): PropertyValue {
  const { url, template, anchor, patience, subject } = service;
  return {
    AllowAllAppsAccess: false,
    // Apple's reference names no algorithm. Its white paper on 802.1X has "a SHA1 or MD5 fingerprint", compared with the root that comes in GetCACert.
    CAFingerprint: sha1Of(anchor),
    Challenge: secret,
    'Key Type': 'RSA',
    'Key Usage': keyUsageBits(template, 'Apple', { digitalSignature: 1, keyEncipherment: 4 }),
    KeyIsExtractable: false,
    Keysize: rsaKeyBits(template, 'Apple', [2048, 4096]),
    Name: template.issuer,
    // They count the answers PENDING, and by default there are three of them within 20 seconds.
    Retries: Math.max(1, Math.ceil(patience.totalSeconds / patience.intervalSeconds)),
    RetryDelay: patience.intervalSeconds,
    Subject: subjectOf(subject),
    ...alternativeNames(service.subjectAltName),
    URL: url,
  };
}

const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
};

/** "an array of OID and value", with short names for six of them; one array for each RDN. */
function subjectOf(subject: Name): PropertyValue {
  return subject.map((rdn) => rdn.map(({ type, value }) => [shortNames[type] ?? type, value]));
}

const keys: Readonly<Record<AlternativeName['kind'], string | null>> = {
  dns: 'dNSName',
  email: 'rfc822Name',
  uri: 'uniformResourceIdentifier',
  ip: null,
};

/** "You can specify a single string or an array of strings for each key." */
function alternativeNames(names: readonly AlternativeName[]): { readonly [key: string]: PropertyValue } {
  const told = toldNames(names, ({ kind }) => keys[kind] !== null);
  if (told.length === 0) return {};
  const values = Map.groupBy(told, ({ kind }) => keys[kind]!);
  const entries = [...values].map(([key, group]): [string, PropertyValue] => {
    const [only, ...more] = group.map(({ value }) => value);
    return [key, more.length === 0 ? only! : [only!, ...more]];
  });
  return { SubjectAltName: Object.fromEntries(entries) };
}
