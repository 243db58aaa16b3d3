import { admitRequestedNames, canonicalRequestedName, type Template } from '#ca';
import type { GeneralName } from '#x509';

/*
 * What the owner of an ACME account is given: `www.example.org` or `10.0.0.7` itself, or `.example.org` for every name below, wildcards included
 * (`isWithinNames`).
 */

/** In canonical spelling; null: it is no such name. */
export function canonicalGivenName(text: string): string | null {
  if (text.startsWith('.')) {
    const below = canonicalRequestedName({ kind: 'dns', value: `x${text}` });
    return below === null ? null : below.value.slice(1);
  }
  const address = canonicalRequestedName({ kind: 'ip', value: text });
  return (address ?? canonicalRequestedName({ kind: 'dns', value: text }))?.value ?? null;
}

/** Whether an order can be for it: the template admits the name, or some name below it. `given`: in canonical spelling. */
export function isEverOrderable({ request }: Pick<Template, 'request'>, given: string): boolean {
  const rules = request.subjectAltName;
  const admits = (name: GeneralName) => admitRequestedNames(rules, [], [name]).length > 0;
  if (given.startsWith('.')) {
    const isAbove = rules.some(({ kind, within }) => kind === 'dns' && within.toLowerCase().endsWith(given));
    return isAbove || admits({ kind: 'dns', value: `x${given}` });
  }
  return admits({ kind: 'ip', value: given }) || admits({ kind: 'dns', value: given });
}
