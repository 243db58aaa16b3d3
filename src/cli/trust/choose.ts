import type { Configuration, IssuerConfiguration, TlsListener } from '#config';
import { SallyportError } from '#errors';

/** The issuer that was named, else the first. Throws 'usage'. */
export function chooseIssuer(
  { issuers, file }: Configuration,
  name: string | undefined,
): IssuerConfiguration {
  return choose(issuers, name, 'issuer', file)!;
}

/** The enroll listener with TLS that was named, else the first that serves EST, else the first; null where there is none. Throws 'usage'. */
export function chooseListener(
  { listeners, file }: Configuration,
  name: string | undefined,
): TlsListener | null {
  const enroll = listeners.filter((listener) => listener.class === 'enroll' && listener.tls !== null);
  const est = enroll.find(({ protocols }) => protocols.est !== undefined);
  return choose(enroll, name ?? est?.name, 'enroll listener', file);
}

function choose<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  name: string | undefined,
  what: string,
  file: string,
): Entry | null {
  if (name === undefined) return entries[0] ?? null;
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = entries.map((entry) => entry.name).join(', ');
  throw new SallyportError(
    'usage',
    `${file} has no ${what} ${JSON.stringify(name)}; ${names === '' ? 'it has none at all' : `choose one of ${names}`}`,
  );
}
