import { type Der, parsePublicKey, type PublicKey } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { NameHash } from './algorithms.ts';
import { curveOf, type EccKey, type RsaKey } from './public-area.ts';

interface Template {
  readonly nameAlg: NameHash;
  readonly keyBits: 128 | 256;
}

/** EK Credential Profile annexes B.3 and B.4: L-1, L-2 and H-1 to H-6, each of which is the only one for its kind of key. */
const templates: Readonly<Record<string, Template>> = {
  'RSA 2048': { nameAlg: 'sha256', keyBits: 128 },
  'RSA 3072': { nameAlg: 'sha384', keyBits: 256 },
  'ECC 256': { nameAlg: 'sha256', keyBits: 128 },
  'ECC 384': { nameAlg: 'sha384', keyBits: 256 },
  'ECC 521': { nameAlg: 'sha512', keyBits: 256 },
};

/** How to protect what is for an endorsement key of which nothing but the key is known. Throws EvidenceRefused, and as `parsePublicKey`. */
export function endorsementTemplate(spki: Der): Template & { readonly key: RsaKey | EccKey } {
  const key = tpmKeyOf(parsePublicKey(spki));
  const kind =
    key?.type === 'rsa'
      ? `RSA ${key.modulus.length * 8}`
      : key?.type === 'ecc'
        ? `ECC ${key.curve.bits}`
        : '';
  const template = templates[kind];
  if (key === null || template === undefined) {
    throw new EvidenceRefused('ek-template', 'no template is for such a key: send its public area');
  }
  return { ...template, key };
}

function tpmKeyOf(key: PublicKey): RsaKey | EccKey | null {
  if (key.kind === 'rsa') {
    return { type: 'rsa', modulus: key.modulus, exponent: Number.parseInt(key.exponent.toHex(), 16) };
  }
  const curve = key.kind === 'ec' ? curveOf(key.curveOid) : undefined;
  if (key.kind !== 'ec' || curve === undefined) return null;
  const { octets } = curve;
  return { type: 'ecc', curve, x: key.point.subarray(1, 1 + octets), y: key.point.subarray(1 + octets) };
}
