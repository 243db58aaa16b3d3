import type { Template } from '#ca';
import type { Certificate, Name } from '#x509';
import type { PinnedChain } from '../trust/pinned-chain.ts';
import type { AlternativeName } from './alternative-names.ts';

export const profileKinds = ['apple', 'windows', 'intune', 'strongswan', 'certmonger', 'sscep'] as const;
export type ProfileKind = (typeof profileKinds)[number];

/** Where a template is had over SCEP, and from whom. */
export interface ScepService {
  readonly authority: string;
  readonly listener: string;
  readonly url: string;
  readonly template: Template;
  readonly chain: PinnedChain;
  /** Of what GetCACert gives, the certificate that is above the others: Apple and Windows compare its hash. */
  readonly anchor: Certificate;
  readonly caCertificates: 'path' | 'issuer';
  /** How long a device asks again while nobody has approved its request. */
  readonly patience: { readonly intervalSeconds: number; readonly totalSeconds: number };
}

/** The same for one device. */
export interface DeviceService extends ScepService {
  readonly device: string;
  /** As the template builds them. A request that asks for others is refused. */
  readonly subject: Name;
  readonly subjectAltName: readonly AlternativeName[];
}

/** The one-time secret, in the clear. */
export interface Challenge {
  readonly id: string;
  readonly secret: string;
}
