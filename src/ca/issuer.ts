import { SallyportError } from '#errors';
import type { SigningKey } from '#keys';
import { type Certificate, type Der, equalBytes, parseCertificate } from '#x509';
import { requireAuthority, requireChain } from './authority-chain.ts';
import { verifySigned } from './own-signature.ts';
import { requireRollover } from './rollover.ts';
import type { IssuerFacts } from './tbs.ts';

/** A certification authority that signs. Only `loadIssuer` makes one. */
export interface Issuer extends IssuerFacts {
  readonly name: string;
  readonly certificate: Certificate;
  /** From the issuer of `certificate` up to the root, root last; empty where `certificate` is itself a root. */
  readonly chain: readonly Certificate[];
  /** What clients get beside the path, to come from an old root to this one. */
  readonly rollover: readonly Certificate[];
  readonly key: SigningKey;
}

const loaded = new WeakSet<Issuer>();

export function isLoadedIssuer(issuer: Issuer): boolean {
  return loaded.has(issuer);
}

/**
 * @throws SallyportError 'key' where the key is not that of the certificate, 'bad-signature' where the chain does not
 * verify, 'config' where a certificate may not issue, or leads nowhere
 */
export async function loadIssuer(parts: {
  readonly name: string;
  readonly certificate: Der;
  /** Root last; without `certificate`. */
  readonly chain: readonly Der[];
  readonly rollover?: readonly Der[];
  readonly key: SigningKey;
}): Promise<Issuer> {
  const { name, key } = parts;
  const certificate = parseCertificate(parts.certificate);
  const chain = parts.chain.map((der) => parseCertificate(der));
  requireAuthority(name, certificate);
  requireChain(name, [certificate, ...chain]);
  const rollover = (parts.rollover ?? []).map((der) => parseCertificate(der));
  for (const one of rollover) requireAuthority(name, one);
  requireRollover(name, [certificate, ...chain], rollover);
  await requireKey(name, certificate, key);
  const issuer: Issuer = Object.freeze({
    name,
    certificate,
    chain: Object.freeze(chain),
    rollover: Object.freeze(rollover),
    key,
  });
  loaded.add(issuer);
  return issuer;
}

/** A trial signature: a key store may hand out the public key of one key and sign with another. */
async function requireKey(name: string, certificate: Certificate, key: SigningKey): Promise<void> {
  const trial = new TextEncoder().encode(`sallyport: trial signature of issuer ${name}`);
  const fits = equalBytes(key.spki, certificate.spki);
  if (!fits || !verifySigned(key, trial, await key.sign(trial))) {
    throw new SallyportError('key', `issuer ${name}: the key is not the one of its certificate`);
  }
}
