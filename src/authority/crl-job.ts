import type { AdminStore, StoredCrlInfo } from '#admin';
import { issueCrl, type Issuer, type RevokedSerialNumber, revocationReasons } from '#ca';
import type { IssuerConfiguration } from '#config';
import { sha256Hex, type Clock } from '#enrollment';
import { isSallyportError } from '#errors';
import { eventEntry } from './event-entry.ts';

/** An expired certificate stays on the CRL for a while, for those whose clock lags. RFC 5280 section 3.3 wants it on one more. */
const afterExpiryMilliseconds = 8 * 86_400_000;

/** Another node issued one at the same time: whose list was read later cannot be told, so that another follows. */
const attempts = 5;

/**
 * Issues the CRL where it is due: none yet, its refresh time has come, `revoked` says that something was revoked, or the store knows of more than
 * the CRL lists: another node revoked it, and ended before its CRL.
 */
export async function refreshCrl(settings: CrlSettings, ports: CrlPorts): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await refreshOnce(settings, ports);
    } catch (error) {
      if (attempt === attempts || !isSallyportError(error, 'conflict')) throw error;
    }
  }
}

interface CrlSettings {
  readonly issuer: Issuer;
  readonly settings: IssuerConfiguration;
  readonly revoked: boolean;
}

interface CrlPorts {
  readonly store: AdminStore;
  readonly clock: Clock;
  readonly random: (n: number) => Uint8Array;
}

async function refreshOnce(
  { issuer, settings, revoked }: CrlSettings,
  { store, clock, random }: CrlPorts,
): Promise<void> {
  const now = clock.now();
  const current = await store.crlInfo(issuer.name);
  const due = current === null || now >= current.thisUpdate + settings.crl.refreshSeconds * 1000;
  if (!due && !revoked && (await listsAll(issuer.name, current, store))) return;
  const previous = current?.number ?? null;
  const number = nextNumber(previous ?? 0n, now);
  const thisUpdate = Math.floor(now / 1000) * 1000;
  const nextUpdate = thisUpdate + settings.crl.lifetimeSeconds * 1000;
  const list = store.revoked(issuer.name, thisUpdate - afterExpiryMilliseconds);
  const { der, listed } = await issueCrl(issuer, { number, thisUpdate, nextUpdate, revoked: named(list) });
  const sha256 = sha256Hex(der);
  const detail = {
    issuer: issuer.name,
    number: String(number),
    revoked: listed,
    sha256,
    thisUpdate,
    nextUpdate,
  };
  const entry = eventEntry('crl.issued', detail, now, random);
  await store.saveCrl({ issuer: issuer.name, number, previous, der, listed, thisUpdate, nextUpdate, entry });
}

async function* named(list: ReturnType<AdminStore['revoked']>): AsyncGenerator<RevokedSerialNumber[]> {
  for await (const part of list) yield part.map((row) => ({ ...row, reason: reasonName(row.reason) }));
}

/** What was revoked stays revoked, so that what belonged on this CRL when it was made only becomes more: the number tells. */
async function listsAll(
  issuer: string,
  { listed, thisUpdate }: StoredCrlInfo,
  store: AdminStore,
): Promise<boolean> {
  return (await store.revokedCount(issuer, thisUpdate - afterExpiryMilliseconds)) === listed;
}

/**
 * RFC 5280 section 5.2.3: relying parties take the list with the greater number for the newer one. The number is the time, so that a
 * database put back to an earlier state goes on above what was published from it; where the clock stands still, one more than the last.
 */
function nextNumber(last: bigint, now: number): bigint {
  const time = BigInt(Math.floor(now));
  return time > last ? time : last + 1n;
}

type Reason = RevokedSerialNumber['reason'];

/** What the store keeps as a number. Unknown ones are unspecified: the serial must be on the CRL in any case. */
function reasonName(code: number): Reason {
  const found = Object.entries(revocationReasons).find(
    ([name, value]) => value === code && name !== 'removeFromCRL',
  );
  return (found?.[0] ?? 'unspecified') as Reason;
}
