import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { defaultPolicies } from '#policy';
import { authorityInProcess, type Cleanup, type TestAuthority } from './authority.ts';
import { csrFor } from './csr.ts';
import { base64, est, type EstAnswer } from './est-client.ts';
import type { Certified } from './pki.ts';

export type IdentityAuthority = Awaited<ReturnType<typeof authorityInProcess>>;

export interface TestIdentity {
  readonly kind: 'idevid' | 'mdm' | 'ra';
  readonly certificates: readonly Certified[];
  readonly device?: 'id' | 'serialNumber';
  readonly from?: readonly ('hardwareModuleName' | 'serialNumber' | 'commonName')[];
  readonly hardwareTypes?: readonly string[];
  readonly classes?: readonly string[];
  readonly templates?: readonly string[];
}

/**
 * An authority that knows these identities, in this order. Its template `device` takes every kind, `server` only idevid besides a secret.
 * `kiosk` is a class for which nobody vouches unless the test says so. No device is limited.
 */
export async function authorityWithIdentities(
  cleanup: Cleanup,
  identities: Readonly<Record<string, TestIdentity>>,
  policy: string | null = null,
): Promise<IdentityAuthority> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sallyport-identities-'));
  cleanup.after(() => rm(directory, { recursive: true, force: true }));
  const settings: Record<string, unknown> = {};
  for (const [name, { certificates, ...more }] of Object.entries(identities)) {
    const file = path.join(directory, `${name}.pem`);
    await writeFile(file, certificates.map(({ pem }) => pem).join(''));
    const certified = { classes: ['laptop', 'server'], templates: ['device'], certificates: [file] };
    settings[name] = { ...certified, ...more };
  }
  const policyFile = path.join(directory, 'policy.cedar');
  if (policy !== null) await writeFile(policyFile, policy);
  return authorityInProcess(cleanup, (yaml) => {
    const initial = parse(yaml) as InitialSettings;
    initial.templates['device']!.authentication = ['secret', 'idevid', 'mdm', 'ra'];
    initial.templates['server']!.authentication = ['secret', 'idevid'];
    initial.deviceClasses['kiosk'] = { attestation: 'none', templates: ['device'] };
    initial.limits['device'] = { burst: 500, count: 500, period: '1d' };
    initial.identities = settings;
    if (policy !== null) initial.policy = { file: policyFile };
    return stringify(initial, { aliasDuplicateObjects: false });
  });
}

interface InitialSettings {
  readonly templates: Record<string, { authentication: string[] }>;
  readonly deviceClasses: Record<string, unknown>;
  readonly limits: Record<string, unknown>;
  identities?: unknown;
  policy?: unknown;
}

/** The default policies, and whom an identity from elsewhere vouches for needs no approval. */
export function lettingIdentitiesIn(): string {
  const lifted = 'context.approval.lifts.contains("first-enrollment"))';
  const [before, after, ...more] = defaultPolicies().split(lifted);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error('first-enrollment has changed');
  }
  return `${before}${lifted} ||\n  (context has identity && context.identity.known)${after}`;
}

let devices = 0;

/** In the inventory with its serial number, and approved beforehand: nothing but what the test is about can object. */
export async function inventoryDevice(
  { admin }: TestAuthority,
  { deviceClass = 'laptop', approveFor = ['device'] }: { deviceClass?: string; approveFor?: string[] } = {},
): Promise<{ readonly id: string; readonly serialNumber: string }> {
  devices += 1;
  const id = `device-${devices}`;
  const serialNumber = `SN-${devices}`;
  const identifiers = { serialNumber, dnsName: `${id}.example.org` };
  await admin.device(id, { deviceClass, approveFor, identifiers });
  return { id, serialNumber };
}

export interface IdentityAsking {
  readonly csr?: Uint8Array;
  readonly template?: string;
  readonly operation?: 'simpleenroll' | 'simplereenroll';
  readonly user?: readonly [name: string, secret: string];
}

/** Asks for a certificate of a device with what is not of this authority, on a connection of its own. */
export async function askWith(
  authority: TestAuthority,
  client: Certified,
  deviceId: string,
  { csr, template = 'device', operation = 'simpleenroll', user }: IdentityAsking = {},
): Promise<EstAnswer> {
  return est({
    url: `${authority.est}/${template}/${operation}`,
    body: base64(csr ?? csrFor(deviceId, client.key)),
    client,
    trust: authority.trustPem,
    ...(user === undefined ? {} : { user }),
  });
}

/** How many certificates the device has. */
export async function issuedTo({ admin }: TestAuthority, device: string): Promise<number> {
  return (await admin.client.perform('listCertificates', { device })).items.length;
}

/** Whatever would have to know the device objects where none is named, and the judge because it has no facts of the request. */
const withoutDevice = [
  'attestation',
  'class-approval',
  'device-known',
  'device-state',
  'enrollment-again',
  'first-enrollment',
  'incomplete',
  'request-end-entity',
  'request-extensions',
  'request-no-sid',
  'request-possession',
  'request-subject',
  'request-subject-alt-name',
  'request-usage',
  'template-class',
  'template-names',
];

/** The objections to a client certificate that belongs to no identity: it vouches for nothing and names nothing. */
export const stranger = [
  ...withoutDevice,
  'authentication',
  'identity-known',
  'identity-template',
  'identity-device',
];
/** To a stranger that besides is a CA, or calls itself a registration authority. */
export const strangerOfOtherPurpose = [...stranger, 'identity-purpose'];
/** To a known identity that names nobody of the inventory. */
export const nobody = [...withoutDevice, 'identity-device'];
