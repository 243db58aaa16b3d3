import {
  type KnownRoot,
  knownRootOf,
  type RootConcern,
  rootConcerns,
  rootSignature,
  type TrustAnchors,
} from '#evidence';
import { type Certificate, formatName, inspectPublicKey } from '#x509';
import { isSallyportError } from '#errors';
import { sha256Of } from '../trust/fingerprint.ts';

/** A certificate as an operator looks at it before it is trusted. */
export interface RootView {
  readonly subject: string;
  readonly issuer: string;
  readonly sha256: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly key: string;
  /** A root signs itself; `intermediate`: another name is its issuer; `unread`: it names itself, in an algorithm that is not verified here. */
  readonly kind: 'root' | 'intermediate' | 'unread' | 'forged';
  readonly known: KnownRoot | null;
  readonly concerns: readonly RootConcern[];
}

/** `asked`: what it is to vouch for; null: nobody has said it yet. */
export function rootView(
  certificate: Certificate,
  asked: Pick<TrustAnchors, 'format' | 'level'> | null,
  time: number,
): RootView {
  const known = knownRootOf(certificate);
  const own = { format: known?.formats[0] ?? 'tpm', level: known?.level ?? null };
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    sha256: sha256Of(certificate),
    notBefore: new Date(certificate.notBefore).toISOString(),
    notAfter: new Date(certificate.notAfter).toISOString(),
    key: keyWords(certificate),
    kind: kinds[rootSignature(certificate)],
    known,
    concerns: rootConcerns(certificate, asked ?? own, time),
  };
}

const kinds = { self: 'root', another: 'intermediate', unread: 'unread', forged: 'forged' } as const;

function keyWords({ spki }: Certificate): string {
  try {
    const { algorithm, bits, curve } = inspectPublicKey(spki);
    if (curve !== undefined) return `EC, ${curve}`;
    return algorithm.startsWith('rsa') ? `RSA, ${bits} bits` : `${algorithm}, ${bits} bits`;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return 'not read';
  }
}
