import { type RevocationReason, revocationReasons } from '#ca';
import type { Afterwards, LostCertificate } from '#storage';

/** What an entry tells that a restored database must not forget. */
export type Event =
  | ({ readonly kind: 'issued' | 'abandoned' | 'revoked' } & Serial)
  | { readonly kind: 'device'; readonly device: string; readonly to: string }
  | { readonly kind: 'crl'; readonly issuer: string; readonly number: bigint };

type Serial = Omit<LostCertificate, 'revokedAt' | 'reason'> & {
  readonly time: number;
  readonly reason: number;
};

type Members = Readonly<Record<string, unknown>>;

/** null: a restored database can do without it. */
export function eventOf(index: number, entry: Members): Event | null {
  const detail = membersOf(entry['detail']);
  switch (entry['outcome'] ?? entry['act'] ?? entry['event']) {
    case 'issued': {
      const certificate = membersOf(entry['certificate']);
      return serialEvent('issued', index, entry, {
        ...certificate,
        device: deviceOf(certificate['deviceId']),
      });
    }
    case 'intent.abandoned':
      return serialEvent('abandoned', index, entry, {
        ...detail,
        device: deviceOf(detail['deviceId']),
        sha256: null,
      });
    case 'certificate.revoke':
      return serialEvent('revoked', index, entry, { ...detail, device: deviceOf(detail['device']) });
    case 'device.suspend':
    case 'device.resume':
    case 'device.retire': {
      const { device, to } = detail;
      return typeof device === 'string' && typeof to === 'string' ? { kind: 'device', device, to } : null;
    }
    case 'crl.issued': {
      const { issuer, number } = detail;
      const known = typeof issuer === 'string' && typeof number === 'string' && /^\d{1,18}$/.test(number);
      return known ? { kind: 'crl', issuer, number: BigInt(number) } : null;
    }
    default:
      return null;
  }
}

/**
 * In the order of the log. Certificates that the backup cannot know are revoked as unspecified: nothing is known against their keys, and nothing
 * for them. What operators revoked keeps its reason and its time.
 */
export function afterwardsOf(events: readonly Event[], now: number): Afterwards {
  const lost = new Map<string, LostCertificate>();
  const revoked: LostCertificate[] = [];
  const states = new Map<string, string>();
  const numbers = new Map<string, bigint>();
  for (const event of events) {
    switch (event.kind) {
      case 'device':
        states.set(event.device, event.to);
        break;
      case 'crl':
        if (event.number > (numbers.get(event.issuer) ?? 0n)) numbers.set(event.issuer, event.number);
        break;
      case 'revoked': {
        const certificate = lostCertificate(event, event.time);
        if (lost.has(keyOf(event))) {
          lost.set(keyOf(event), { ...certificate, index: lost.get(keyOf(event))!.index });
        } else revoked.push(certificate);
        break;
      }
      default:
        lost.set(keyOf(event), lostCertificate(event, now));
    }
  }
  return {
    lost: [...lost.values()],
    revoked,
    // One that was resumed is left as the backup has it: where that is suspended, an operator resumes it again.
    stopped: [...states].flatMap(([device, state]) =>
      state === 'suspended' || state === 'retired' ? [{ device, state }] : [],
    ),
    crlNumbers: [...numbers].map(([issuer, number]) => ({ issuer, number })),
  };
}

function lostCertificate(
  { issuer, serialNumber, sha256, device, template, index, reason }: Serial,
  revokedAt: number,
) {
  return { issuer, serialNumber, sha256, device, template, index, reason, revokedAt };
}

function keyOf({ issuer, serialNumber }: Serial): string {
  return `${serialNumber} ${issuer}`;
}

function serialEvent(
  kind: 'issued' | 'abandoned' | 'revoked',
  index: number,
  entry: Members,
  of: Members,
): Event | null {
  const { issuer, serialNumber, sha256, device, template } = of;
  const { time } = entry;
  if (typeof time !== 'number' || !Number.isSafeInteger(time)) return null;
  const texts = [issuer, serialNumber, device, template, ...(sha256 === null ? [] : [sha256])];
  if (texts.some((text) => typeof text !== 'string') || !/^[0-9a-f]{2,40}$/.test(String(serialNumber))) {
    return null;
  }
  const serial = { issuer, serialNumber, sha256, device, template } as Pick<
    Serial,
    'issuer' | 'serialNumber' | 'sha256' | 'device' | 'template'
  >;
  return { kind, ...serial, index, time, reason: reasonCode(of['reason']) };
}

/** A line may be without it: erased since, or of a sink that takes leaves alone. What was issued is revoked all the same. */
function deviceOf(device: unknown): unknown {
  return device ?? '';
}

function reasonCode(name: unknown): number {
  return typeof name === 'string' && Object.hasOwn(revocationReasons, name)
    ? revocationReasons[name as RevocationReason]
    : revocationReasons.unspecified;
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
