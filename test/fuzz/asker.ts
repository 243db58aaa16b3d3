import { createSecureContext, type SecureContext } from 'node:tls';
import { derToPem, type GeneralName } from '#x509';
import type { TestAuthority } from '../harness/authority.ts';
import { type ClientKey, makeKey, privateKeyPem } from '../harness/csr.ts';
import { type Certified, TestCa } from '../harness/pki.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Who may ask: a device with valid credentials, so that requests get far. */
export interface Asker {
  readonly id: string;
  readonly secret: string;
  readonly template: string;
  readonly key: ClientKey;
  /** More keys that it holds. */
  readonly spareKeys: readonly ClientKey[];
  /** Ways to open a connection, by what the client proves on it. */
  readonly contexts: Readonly<Record<Exclude<Proof, 'own'>, SecureContext> & { own?: SecureContext }>;
  readonly entitled: Entitled;
}

/** 'own': its certificate of this authority, or that of its maker. 'strangers': one that nobody here knows. */
export type Proof = 'nothing' | 'own' | 'strangers';

/** What certificates the device may get. */
export interface Entitled {
  /** null: none, since nobody approved it. */
  readonly template: string | null;
  readonly subjectAltName: readonly GeneralName[];
  /** Whether the authority may have made the key. */
  readonly madeKeys: boolean;
  readonly spkis: readonly Uint8Array[];
}

const kinds = [
  'enrolled',
  'enrolled',
  'expected',
  'expected',
  'unapproved',
  'sensor',
  'sensor',
  'identified',
] as const;
type Kind = (typeof kinds)[number];

/** Who is there beside the authority. */
export interface Parties {
  /** Vouches for its devices, and the authority knows it. */
  readonly maker: TestCa;
  readonly stranger: Certified;
  /** Of other kinds than the devices' own; all of them hold these. */
  readonly sharedKeys: readonly ClientKey[];
}

export function makeParties(): Parties {
  return {
    maker: TestCa.root('Example Maker'),
    stranger: TestCa.root('Nobody').endEntity({ subject: [{ type: 'commonName', value: 'stranger' }] }),
    sharedKeys: [makeKey('rsa-2048'), makeKey('ec-p384')],
  };
}

/** Devices of every kind that nobody has asked for yet. `round` makes their names. */
export async function makeAskers(
  authority: TestAuthority,
  parties: Parties,
  round: number,
): Promise<Asker[]> {
  return Promise.all(kinds.map((kind, at) => makeAsker(authority, parties, kind, `${kind}-${round}-${at}`)));
}

async function makeAsker(
  authority: TestAuthority,
  { maker, stranger, sharedKeys }: Parties,
  kind: Kind,
  id: string,
): Promise<Asker> {
  const serialNumber = `SN-${id}`;
  const dnsName = `${id}.example.org`;
  const sensor = kind === 'sensor';
  const template = sensor ? 'iot' : 'device';
  const settings = {
    template,
    deviceClass: sensor ? 'iot' : 'laptop',
    identifiers: { serialNumber, dnsName },
  };
  const device =
    kind === 'enrolled'
      ? await TestDevice.enrolled(authority, id, settings)
      : kind === 'unapproved'
        ? await TestDevice.unapproved(authority, id, settings)
        : await TestDevice.expected(authority, id, settings);
  const { key, secret, certificate } = device;
  const identity =
    kind === 'identified'
      ? maker.idevid({ serialNumber })
      : certificate === null
        ? null
        : { pem: derToPem(certificate, 'CERTIFICATE'), key };
  const spareKeys = [makeKey(), ...sharedKeys];
  return {
    id,
    secret,
    template,
    key,
    spareKeys,
    contexts: contextsOf(authority, stranger, identity),
    entitled: {
      template: kind === 'unapproved' ? null : template,
      subjectAltName: sensor
        ? []
        : [
            { kind: 'dns', value: dnsName },
            { kind: 'uri', value: `urn:serial:${serialNumber}` },
          ],
      madeKeys: sensor,
      spkis: [key, ...spareKeys].map(({ spki }) => spki),
    },
  };
}

type Identity = Pick<Certified, 'pem' | 'key'>;

function contextsOf(
  authority: TestAuthority,
  stranger: Identity,
  identity: Identity | null,
): Asker['contexts'] {
  const common = { ca: authority.trustPem, ecdhCurve: 'X25519:P-256' };
  const proving = ({ pem, key }: Identity) =>
    createSecureContext({ ...common, cert: pem, key: privateKeyPem(key) });
  return {
    nothing: createSecureContext(common),
    strangers: proving(stranger),
    ...(identity === null ? {} : { own: proving(identity) }),
  };
}
