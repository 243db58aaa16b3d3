import type { Entry, RequestEntry } from '#enrollment';

/**
 * Is an entry this device's, with all that erasing takes from it? Where it names it by id: as the one that asked, as the owner of the credential, or as what an
 * act was done to. Not where another device got a certificate by it: that is the other's record. Where no device was recognised, a name asked for is enough.
 * `accounts`: those of which evidence said that they are this device's, and what was asked for by one before that names it.
 */
export function isAbout(id: string, entry: object, accounts: readonly string[] = []): boolean {
  const { type } = entry as { readonly type?: unknown };
  return type === 'request'
    ? isRequestOf(id, entry as RequestEntry, accounts)
    : isDetailOf(id, entry as Exclude<Entry, RequestEntry>);
}

function isRequestOf(
  id: string,
  { observations, certificate, detail }: RequestEntry,
  accounts: readonly string[],
): boolean {
  if (certificate !== null) return certificate.deviceId === id;
  // Of an ACME message: the owner of the account.
  if (detail?.['device'] === id) return true;
  if (detail?.['device'] === undefined && accounts.includes(String(detail?.['account']))) return true;
  const { device, secret, presenter, request } = observations;
  const named = [device?.id, secret?.userNameDevice, presenter?.record?.deviceId, detail?.['device']];
  if (named.includes(id)) return true;
  return device === null && request !== null && request.subject.flat().some(({ value }) => value === id);
}

function isDetailOf(id: string, { detail }: Exclude<Entry, RequestEntry>): boolean {
  const { device, deviceId, devices } = detail;
  return device === id || deviceId === id || (Array.isArray(devices) && devices.includes(id));
}
