import { formatFields } from '../render/fields.ts';
import { wrap } from '../teach.ts';
import { fingerprintOf } from '../trust/fingerprint.ts';
import { keyUsageBits } from './key-usage-bits.ts';
import type { ScepService } from './profile.ts';
import { rsaKeyBits } from './rsa-key-bits.ts';
import { thumbprintOf } from './windows.ts';

/** An authority must ask Intune whether a challenge is true. */
function validationWords({ name, authentication, workflows = [] }: ScepService['template']): string {
  return authentication.includes('workflow')
    ? `Template ${name} has its workflows answer for challenges: ${workflows.join(', ')}.`
    : `Template ${name} does not have Intune asked whether a challenge is true, so that these requests are refused: give it a workflow of kind intune, and authentication: [workflow] (docs/workflows.md).`;
}

/** What to type into the pages of Intune. Its challenge is Intune's own, so there is none here. */
export function renderIntuneValues(service: ScepService): string {
  const { template, chain, url, anchor } = service;
  keyUsageBits(template, 'Intune', { digitalSignature: 1, keyEncipherment: 1 });
  const anchorRole = anchor === chain.root.certificate ? 'the root' : 'the issuing CA';
  const usages = [
    ...(template.keyUsage.includes('digitalSignature') ? ['Digital signature'] : []),
    ...(template.keyUsage.includes('keyEncipherment') ? ['Key encipherment'] : []),
  ];
  const days = Math.max(1, Math.floor(template.validitySeconds / 86_400));
  const paragraphs = [
    wrap(
      `Intune makes a challenge of its own for each device, and no other challenge is part of its profile. ${validationWords(template)}`,
    ),
    wrap('Intune cannot wait for an operator: approve the devices beforehand (`sallyport device approve`).'),
    `Trusted certificate profiles, one for each:\n\n${formatFields([
      ['root', `${chain.root.file}\nStore: Computer certificate store - Root`],
      ...chain.below.map(
        ({ file }) => ['intermediate', `${file}\nStore: Computer certificate store - Intermediate`] as const,
      ),
    ])}`.trimEnd(),
    `SCEP certificate profile:\n\n${formatFields([
      ['Certificate type', 'Device'],
      ['Subject name format', subjectFormat(service)],
      ['Subject alternative name', alternativeFormat(service)],
      ['Certificate validity period', `${days} days`],
      ['Key storage provider (KSP)', 'Enroll to TPM KSP if present, otherwise enroll to Software KSP'],
      ['Key usage', usages.join(', ')],
      ['Key size (bits)', String(rsaKeyBits(template, 'Intune', [2048, 4096]))],
      ['Hash algorithm', 'SHA-2'],
      [
        'Root Certificate',
        `the profile of ${anchorRole}\nSHA-1   ${thumbprintOf(anchor)}\nSHA-256 ${fingerprintOf(anchor)}`,
      ],
      ['Extended key usage', template.extendedKeyUsage.join('\n')],
      ['Renewal threshold (%)', String(renewalPercent(service))],
      ['SCEP Server URLs', url],
    ])}`.trimEnd(),
    ...(service.caCertificates === 'issuer'
      ? []
      : [
          wrap(
            `Listener ${service.listener} gives the whole path with GetCACert, of which Intune is said to take a wrong one: caCertificates: issuer gives the issuing CA alone.`,
          ),
        ]),
    wrap(
      'In the names, a word in angle brackets is what the inventory has of the device: put the variable there that gives the same, such as {{SerialNumber}} or {{AAD_Device_ID}}. ' +
        'A request that names anything else is refused.',
    ),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

const shortNames: Readonly<Record<string, string>> = {
  commonName: 'CN',
  countryName: 'C',
  localityName: 'L',
  stateOrProvinceName: 'ST',
  organizationName: 'O',
  organizationalUnitName: 'OU',
  emailAddress: 'E',
  serialNumber: 'SERIALNUMBER',
};

function subjectFormat({ template }: ScepService): string {
  return template.subject
    .map(({ type, value }) => `${shortNames[type] ?? type}=${variable(value)}`)
    .join(',');
}

const attributes = { dns: 'DNS', email: 'Email address', uri: 'URI', ip: 'IP address' } as const;

function alternativeFormat({ template }: ScepService): string | null {
  const lines = template.subjectAltName.map(({ kind, value }) => `${attributes[kind]}: ${variable(value)}`);
  return lines.length === 0 ? null : lines.join('\n');
}

function variable(pattern: string): string {
  return pattern.replaceAll(/\{(device\.[\w-]+)\}/g, '<$1>');
}

function renewalPercent({ template }: ScepService): number {
  const { renewalWindowSeconds, validitySeconds } = template;
  // Open always: as Intune proposes.
  if (renewalWindowSeconds >= validitySeconds) return 20;
  return Math.min(99, Math.max(1, Math.floor((renewalWindowSeconds / validitySeconds) * 100)));
}
