import { SallyportError } from '#errors';
import { type GeneratedKey, generateKeyFor } from '#keys';
import type { Facts } from '#policy';
import type { Certificate } from '#x509';
import type { Authority, IssuerInForce } from './authority.ts';
import type { Derivation } from './derive.ts';
import { sha256Hex } from './digests.ts';
import type { RequestEntry } from './entry.ts';
import { templateLimit } from './layers/rate.ts';
import type { DeviceObservation, Observations } from './observations.ts';
import { isDeviceIdentifier } from './order.ts';
import type { Asked } from './observe.ts';
import { named } from './references.ts';
import type { DeviceAsSeen, Intent, IssuedRecord } from './store.ts';

/** What would be certified. */
export type Plan = NonNullable<Derivation['plan']>;

/** What is spent for this same request is its own already. */
export function reservable({ secret }: Observations): string | null {
  return secret?.state === 'spent' ? null : (secret?.id ?? null);
}

export async function makeKey({ name, serverKeygen }: Plan['template']): Promise<GeneratedKey> {
  if (serverKeygen !== null) return generateKeyFor(serverKeygen);
  throw new SallyportError('internal', `the authority makes no keys for template ${name}`);
}

export function issuerOf(plan: Plan, authority: Authority): IssuerInForce {
  const inForce = authority.issuers.get(plan.template.issuer);
  if (inForce === undefined) {
    throw new SallyportError('internal', `template ${plan.template.name} has no issuer in force`);
  }
  return inForce;
}

/** The ACME order that a request is for. */
export function orderOf({ credential }: Asked): string | null {
  return credential?.kind === 'order' ? credential.order : null;
}

/** Whoever orders names has a key for each set of them. */
export function isFresh(action: Facts['action'], { order, device }: Observations): boolean {
  const isOfDevice = order === undefined || order?.identifiers.some(isDeviceIdentifier) === true;
  return action === 'enroll' && isOfDevice && !device!.otherKeyCurrent;
}

/** As `observe` looked for it; null where a secret, an order or an activation decides that, or where the authority makes the key. */
export function issuedBefore(
  { keygen, request }: Asked,
  { secret, order, presenter, issued }: Observations,
): IssuedRecord['issuedBefore'] {
  if (secret !== null || order !== undefined || keygen || request === null) return null;
  const ours = presenter !== null && presenter.record !== null;
  return { predecessor: ours ? presenter.sha256 : null, sha256: issued?.sha256 ?? null };
}

export function asSeen({ serialNumber, deviceClass, identifiers }: DeviceObservation): DeviceAsSeen {
  return { serialNumber, deviceClass, identifiers };
}

/** As the entry names the certificate. */
export function summaryOfIssued(
  { der, serialNumber }: Certificate,
  issuer: string,
  { template }: Plan,
  deviceId: string,
  predecessor: string | null,
): NonNullable<RequestEntry['certificate']> {
  const sha256 = sha256Hex(der);
  return { issuer, serialNumber, sha256, template: template.name, deviceId, predecessor };
}

export function storedForm(
  certificate: Certificate,
  summary: NonNullable<RequestEntry['certificate']>,
  spki: string,
  names: string,
) {
  return {
    ...summary,
    der: certificate.der,
    spki,
    names,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}

export function limitsOf(
  { references }: Authority,
  { challenge }: Observations,
  { template: { name } }: Plan,
): Intent['limits'] {
  const ofChallenge = named(references.limits.staticChallenges ?? {}, name) ?? null;
  return {
    device: references.limits.device,
    template: templateLimit(references, name),
    challenge: challenge?.kind === 'static' ? ofChallenge : null,
  };
}
