import { type RevocationReason, revocationReasons } from '#ca';
import type { Afterwards, LostCertificate } from '#storage';
import { isSerialNumber } from '#x509';
import { membersOf } from './members.ts';

/** What an entry tells that a restored database must not forget. */
export type Event =
  | ({ readonly kind: 'issued' | 'revoked' } & Serial)
  | { readonly kind: 'device'; readonly device: string; readonly to: string }
  | { readonly kind: 'crl'; readonly issuer: string; readonly number: bigint };

type Serial = Omit<LostCertificate, 'revokedAt'> & {
  /** null: it is not known, and is from now on. */
  readonly revokedAt: number | null;
};

/** An event, and whether a signed checkpoint proves that it is the log's. */
export interface Told {
  readonly event: Event;
  readonly proven: boolean;
}

/** Of the newest entry of the backup, and of the restore. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

type Members = Readonly<Record<string, unknown>>;

interface Place {
  readonly log: string;
  readonly index: number;
}

/** null: a restored database can do without it. */
export function eventOf(place: Place, entry: Members): Event | null {
  const detail = membersOf(entry['detail']);
  switch (entry['outcome'] ?? entry['act'] ?? entry['event']) {
    case 'issued': {
      const certificate = membersOf(entry['certificate']);
      return serialEvent('issued', place, { ...certificate, device: certificate['deviceId'] });
    }
    case 'intent.abandoned':
      return serialEvent('issued', place, { ...detail, device: detail['deviceId'], sha256: null });
    // Of no device. The listener gets another one with its first start; whatever that one was for, nobody knows any more.
    case 'listener.issued':
      return serialEvent('issued', place, { ...detail, device: '', template: 'listener' });
    case 'certificate.revoke':
    // ACME: by who has it.
    case 'revoked':
      return serialEvent('revoked', place, { ...detail, revokedAt: entry['time'] });
    // RFC 5280 section 5.3.1: privilegeWithdrawn.
    case 'withdrawn':
      return serialEvent('revoked', place, {
        ...membersOf(entry['certificate']),
        reason: 9,
        revokedAt: entry['time'],
      });
    // What an earlier restore found out about the log before.
    case 'certificate.lost':
      return serialEvent(detail['reason'] === 0 ? 'issued' : 'revoked', place, detail);
    case 'certificate.revoked':
      return serialEvent('revoked', place, detail);
    case 'device.suspended':
    case 'device.retired':
      return deviceEvent(detail['device'], detail['state']);
    case 'device.suspend':
    case 'device.resume':
    case 'device.retire':
      return deviceEvent(detail['device'], detail['to']);
    case 'crl.issued': {
      const { issuer, number } = detail;
      const known = isName(issuer) && typeof number === 'string' && /^\d{1,18}$/.test(number);
      return known ? { kind: 'crl', issuer, number: BigInt(number) } : null;
    }
    default:
      return null;
  }
}

/**
 * In the order of the logs. Certificates that the backup cannot know are revoked as unspecified: nothing is known against their keys, and nothing
 * for them. What operators revoked keeps its reason and its time. What is not proven may be invented, and only makes things stricter: it revokes
 * and suspends, it does not resume, it does not retire, which is for good, and no CRL number goes beyond the time for it.
 */
export function afterwardsOf(told: readonly Told[], { from, to }: Span): Afterwards {
  const serials = new Serials({ from, to });
  const states = new Map<string, string>();
  const suspects = new Set<string>();
  const numbers = new Map<string, bigint>();
  for (const { event, proven } of told) {
    switch (event.kind) {
      case 'device':
        if (proven) states.set(event.device, event.to);
        else if (stops(event.to)) suspects.add(event.device);
        break;
      case 'crl':
        if (!proven && event.number > BigInt(to)) break;
        if (event.number > (numbers.get(event.issuer) ?? 0n)) numbers.set(event.issuer, event.number);
        break;
      default:
        serials.tell(event);
    }
  }
  for (const device of suspects) {
    if (!stops(states.get(device))) states.set(device, 'suspended');
  }
  return {
    lost: [...serials.lost.values()],
    revoked: [...serials.revoked.values()],
    // One that was resumed is left as the backup has it: where that is suspended, an operator resumes it again.
    stopped: [...states].flatMap(([device, state]) => (stops(state) ? [{ device, state }] : [])),
    crlNumbers: [...numbers].map(([issuer, number]) => ({ issuer, number })),
  };
}

/** A serial number is lost or revoked once; the first reason that an operator gave is kept. */
class Serials {
  readonly lost = new Map<string, LostCertificate>();
  readonly revoked = new Map<string, LostCertificate>();
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  tell({ kind, revokedAt, ...serial }: Extract<Event, { kind: 'issued' | 'revoked' }>): void {
    const { from, to } = this.#span;
    // No revocation of that time is older than the backup, which has those that are, and none is to come.
    const certificate = { ...serial, revokedAt: Math.min(Math.max(revokedAt ?? to, from), to) };
    const key = `${serial.serialNumber} ${serial.issuer}`;
    const lost = this.lost.get(key);
    if (kind === 'revoked' && lost !== undefined) {
      if (lost.reason === revocationReasons.unspecified) {
        this.lost.set(key, { ...certificate, log: lost.log, index: lost.index });
      }
    } else if (lost === undefined && !this.revoked.has(key)) {
      (kind === 'revoked' ? this.revoked : this.lost).set(key, certificate);
    }
  }
}

function stops(state: string | undefined): state is 'suspended' | 'retired' {
  return state === 'suspended' || state === 'retired';
}

function deviceEvent(device: unknown, to: unknown): Event | null {
  return isName(device) && typeof to === 'string' ? { kind: 'device', device, to } : null;
}

function serialEvent(kind: 'issued' | 'revoked', place: Place, of: Members): Event | null {
  // A line may be without its device: erased since, or of a sink that takes leaves alone. What was issued is revoked all the same.
  const { issuer, serialNumber, sha256, device = '', template, revokedAt } = of;
  if (!isName(issuer) || !(device === '' || isName(device)) || !isName(template)) return null;
  if (typeof serialNumber !== 'string' || !isSerialNumber(serialNumber)) return null;
  if (sha256 !== null && (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256))) return null;
  const time = typeof revokedAt === 'number' && Number.isSafeInteger(revokedAt) ? revokedAt : null;
  const reason = reasonCode(of['reason']);
  return { kind, issuer, serialNumber, sha256, device, template, ...place, revokedAt: time, reason };
}

/** By name in what an operator did, by code in what a restore found. */
function reasonCode(reason: unknown): number {
  if (typeof reason === 'string' && Object.hasOwn(revocationReasons, reason)) {
    return revocationReasons[reason as RevocationReason];
  }
  return Object.values<unknown>(revocationReasons).includes(reason)
    ? Number(reason)
    : revocationReasons.unspecified;
}

/** Text as each database can hold it, and as fits an entry several times. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{Cc}]{1,512}$/u.test(value);
}
