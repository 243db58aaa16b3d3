import { named, path, type Authority, type SourceObservation } from '#enrollment';
import type { Der } from '#x509';

/** The answer to cacerts: the issuing CA first, the root at the end of its path, then what leads from an old root to it (RFC 7030 section 4.1.3). */
export interface CaCertificates {
  readonly outcome: 'answered';
  readonly certificates: readonly Der[];
}

/** The path of the label's issuer; without a label, of the listener's default or first template. null: no such label here. */
export function caCertificates(source: SourceObservation, authority: Authority): CaCertificates | null {
  const est = named(authority.references.listeners, source.listener)?.protocols.est;
  const name = source.template ?? est?.defaultTemplate ?? est?.templates[0];
  if (name === undefined || !est?.templates.includes(name)) return null;
  const issuer = named(authority.references.templates, name)?.issuer;
  const inForce = issuer === undefined ? undefined : authority.issuers.get(issuer);
  if (inForce === undefined) return null;
  const { issuer: own } = inForce;
  return { outcome: 'answered', certificates: [...path(own), ...own.rollover].map(({ der }) => der) };
}
