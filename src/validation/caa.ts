import { type CaaProperty, caaPropertyOf, type IssueValue, parseIssueValue } from './caa-property.ts';
import type { Challenge } from './challenge.ts';
import type { Dns } from './dns.ts';
import { type Failure, fails, isFailure } from './outcome.ts';

/** What a CAA record may speak of. */
export type CaaRequest = Pick<Challenge, 'type' | 'identifier' | 'wildcard' | 'accountUri'>;

const known = ['issue', 'issuewild', 'iodef'];

/** RFC 8659, with RFC 8657's parameters. Null: the records, or that there are none, permit it. `issuer` is how they name us. */
export async function caaPermission(request: CaaRequest, issuer: string, dns: Dns): Promise<Failure | null> {
  const { identifier, wildcard } = request;
  // An address has no place in the tree.
  if (identifier.type === 'ip') return null;
  const found = await relevantProperties(identifier.value, dns);
  if (isFailure(found)) return found;
  const { properties, name } = found;
  const at = `the CAA records at ${name}`;
  if (properties.some(({ critical, tag }) => critical && !known.includes(tag))) {
    return fails('caa', `${at} have a critical property that this server does not know`);
  }
  const values = issueValues(properties, wildcard);
  if (values.length === 0) return null;
  const ours = values.filter((value) => value.issuer === issuer.toLowerCase());
  if (ours.length === 0) return fails('caa', `${at} do not name ${issuer}`);
  return ours.some((value) => isFor(value, request))
    ? null
    : fails('caa', `${at} name ${issuer} for another account, or for other challenges`);
}

/** RFC 8659 section 3: those of the name, or of the nearest one above that has any, up to and without the root. */
async function relevantProperties(
  domain: string,
  dns: Dns,
): Promise<{ readonly name: string; readonly properties: readonly CaaProperty[] } | Failure> {
  const labels = domain.split('.');
  for (const at of labels.keys()) {
    const name = labels.slice(at).join('.');
    const records = await dns.caa(name, `the CAA records of ${name}`);
    if (isFailure(records)) return records;
    if (records.length > 0) return { name, properties: records.map(caaPropertyOf) };
  }
  return { name: domain, properties: [] };
}

/** Section 4.3: `issuewild` says nothing of other names, and alone says who issues a wildcard where there is one. */
function issueValues(properties: readonly CaaProperty[], wildcard: boolean): IssueValue[] {
  const ofTag = (wanted: string) =>
    properties.filter(({ tag }) => tag === wanted).map(({ value }) => parseIssueValue(value));
  const wild = wildcard ? ofTag('issuewild') : [];
  return wild.length > 0 ? wild : ofTag('issue');
}

/** RFC 8657 sections 3 and 4: a parameter that is there twice is never satisfied. Of other parameters we have none. */
function isFor({ parameters }: IssueValue, { type, accountUri }: CaaRequest): boolean {
  const valuesOf = (wanted: string) => parameters.filter(([tag]) => tag === wanted).map(([, value]) => value);
  const accounts = valuesOf('accounturi');
  const methods = valuesOf('validationmethods');
  return (
    (accounts.length === 0 || (accounts.length === 1 && accounts[0] === accountUri)) &&
    (methods.length === 0 || (methods.length === 1 && isMethodOf(methods[0] ?? '', type)))
  );
}

function isMethodOf(list: string, type: string): boolean {
  return /^[A-Za-z0-9-]+(?:,[A-Za-z0-9-]+)*$/.test(list) && list.split(',').includes(type);
}
