import { SallyportError } from '#errors';
import { type Der, type DerNode, readDer } from '../der-node.ts';
import { contextConstructed } from '../der-tags.ts';
import { der } from '../der-writer.ts';
import { encodeGeneralName, generalNameOf, generalNamesOf } from '../general-name.ts';
import { oids } from '../oids.ts';

const maximumPoints = 32;

/** One DistributionPoint whose fullName has every URL: all of them give the same CRL (RFC 5280 section 4.2.1.13). */
export function encodeCrlDistributionPoints(urls: readonly string[]): Der {
  if (urls.length === 0) throw new SallyportError('malformed', 'CRLDistributionPoints: empty');
  const fullName = der.implicitConstructed(0, ...urls.map(encodeUri));
  return der.sequence(der.sequence(der.explicit(0, fullName)));
}

/** The URIs of all full names. Points with reasons or an issuer of their own are `unsupported`. */
export function parseCrlDistributionPoints(value: Uint8Array): string[] {
  const points = readDer(value).sequence('CRLDistributionPoints');
  if (!points.more) throw new SallyportError('malformed', 'CRLDistributionPoints: empty');
  const urls: string[] = [];
  let count = 0;
  for (const point of points) {
    count += 1;
    requireRoom(count, 'CRLDistributionPoints');
    urls.push(...distributionPointUris(point));
  }
  return urls;
}

function distributionPointUris(point: DerNode): string[] {
  const fields = point.sequence('DistributionPoint');
  const choice = fields.optional(contextConstructed(0))?.children('distributionPoint');
  if (fields.more) {
    throw new SallyportError('unsupported', 'DistributionPoint: reasons and cRLIssuer are not understood');
  }
  if (choice === undefined) throw new SallyportError('malformed', 'DistributionPoint: empty');
  const name = choice.next();
  choice.finish();
  if (name.tag !== contextConstructed(0)) {
    throw new SallyportError('unsupported', 'DistributionPoint: nameRelativeToCRLIssuer is not understood');
  }
  return generalNamesOf(name.children('fullName')).flatMap((each) =>
    each.kind === 'uri' ? [each.value] : [],
  );
}

/** RFC 5280 section 4.2.2.1. */
export interface AuthorityInfoAccess {
  /** Where the issuer's certificate is. */
  readonly caIssuers?: readonly string[];
  readonly ocsp?: readonly string[];
}

export function encodeAuthorityInfoAccess({ caIssuers = [], ocsp = [] }: AuthorityInfoAccess): Der {
  if (caIssuers.length + ocsp.length === 0) {
    throw new SallyportError('malformed', 'AuthorityInfoAccess: empty');
  }
  return der.sequence(
    ...ocsp.map((url) => der.sequence(der.oid(oids.ocsp), encodeUri(url))),
    ...caIssuers.map((url) => der.sequence(der.oid(oids.caIssuers), encodeUri(url))),
  );
}

/** The URIs of the two methods; other methods and kinds of names are passed over. */
export function parseAuthorityInfoAccess(value: Uint8Array): { caIssuers: string[]; ocsp: string[] } {
  const descriptions = readDer(value).sequence('AuthorityInfoAccess');
  if (!descriptions.more) throw new SallyportError('malformed', 'AuthorityInfoAccess: empty');
  const parsed = { caIssuers: [] as string[], ocsp: [] as string[] };
  let count = 0;
  for (const description of descriptions) {
    count += 1;
    requireRoom(count, 'AuthorityInfoAccess');
    const fields = description.sequence('AccessDescription');
    const method = fields.next().oid('accessMethod');
    const location = generalNameOf(fields.next());
    fields.finish();
    if (location.kind !== 'uri') continue;
    if (method === oids.caIssuers) parsed.caIssuers.push(location.value);
    if (method === oids.ocsp) parsed.ocsp.push(location.value);
  }
  return parsed;
}

function encodeUri(url: string): Der {
  return encodeGeneralName({ kind: 'uri', value: url });
}

function requireRoom(count: number, what: string): void {
  if (count > maximumPoints) throw new SallyportError('too-large', `${what}: more than ${maximumPoints}`);
}
