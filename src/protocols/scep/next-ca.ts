import { certsOnly, signedMessage } from '#cms';
import { type IssuerInForce, path } from '#enrollment';
import { type Certificate, type Der, oids } from '#x509';
import type { RaInForce } from './ra.ts';

type NextAuthority = NonNullable<IssuerInForce['next']>;
type Issuer = IssuerInForce['issuer'];

interface Answered {
  readonly ra: Certificate;
  readonly signedAt: number;
  readonly message: Promise<Der>;
}

/** Everybody may ask, and nobody makes the RA sign for each question. */
const signedAgainAfter = 3_600_000;
const answered = new WeakMap<NextAuthority, Answered>();

/**
 * The answer to GetNextCACert (RFC 8894 section 4.7.1): SignedData around a degenerate SignedData with what follows. The RFC has it "signed by the current CA
 * signing key", which for it is the key of all that a CA says in SCEP; here that is the RA's (section 7.2 on keys of CAs that sign messages), by which clients
 * verify everything else that they are told. With what is between it and the root: whoever trusts the root alone can verify it (`openssl cms`).
 */
export async function nextCaCertificates(
  next: NextAuthority,
  issuer: Issuer,
  ra: RaInForce,
  now: number,
): Promise<Der> {
  const [newest] = ra.certificates();
  const last = answered.get(next);
  const isFresh =
    last !== undefined && last.ra === newest && Math.abs(now - last.signedAt) < signedAgainAfter;
  if (isFresh) return last.message;
  const message = sign(next, issuer, { certificate: newest!, key: ra.key }, now);
  answered.set(next, { ra: newest!, signedAt: now, message });
  try {
    return await message;
  } catch (error) {
    // One that failed answers nobody else.
    answered.delete(next);
    throw error;
  }
}

function sign(
  { certificates }: NextAuthority,
  issuer: Issuer,
  signer: Parameters<typeof signedMessage>[1],
  signingTime: number,
): Promise<Der> {
  const bytes = certsOnly(certificates.map(({ der }) => der));
  return signedMessage({ type: oids.data, bytes }, signer, {
    digest: 'sha256',
    attributes: [],
    certificates: [signer.certificate, ...path(issuer).slice(0, -1)].map(({ der }) => der),
    signingTime,
  });
}
