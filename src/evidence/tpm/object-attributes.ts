import { SallyportError } from '#errors';
import { EvidenceRefused } from '../evidence-refused.ts';

/** TPMA_OBJECT (section 8.3.2), with firmwareLimited and svnLimited of version 1.83. The bits between are reserved and clear. */
const bits = {
  fixedTPM: 1,
  stClear: 2,
  fixedParent: 4,
  sensitiveDataOrigin: 5,
  userWithAuth: 6,
  adminWithPolicy: 7,
  firmwareLimited: 8,
  svnLimited: 9,
  noDA: 10,
  encryptedDuplication: 11,
  restricted: 16,
  decrypt: 17,
  sign: 18,
  x509sign: 19,
} as const;

export type ObjectAttribute = keyof typeof bits;

const names = Object.keys(bits) as ObjectAttribute[];
const defined = names.reduce((mask, name) => mask | (1 << bits[name]), 0);

/** The attributes that are set, in the order of their bits. */
export function objectAttributesOf(value: number): readonly ObjectAttribute[] {
  if ((value & ~defined) !== 0) {
    throw new SallyportError('malformed', 'objectAttributes: a reserved bit is set');
  }
  return names.filter((name) => (value & (1 << bits[name])) !== 0);
}

/** What must be set and what must not. The check that fails is named for the attribute: `tpm-fixed-parent`. */
export function requireAttributes(
  prefix: string,
  attributes: readonly ObjectAttribute[],
  { set, clear }: { readonly set: readonly ObjectAttribute[]; readonly clear: readonly ObjectAttribute[] },
): void {
  for (const attribute of set) {
    if (!attributes.includes(attribute)) throw refusal(prefix, attribute, 'clear');
  }
  for (const attribute of clear) {
    if (attributes.includes(attribute)) throw refusal(prefix, attribute, 'set');
  }
}

function refusal(prefix: string, attribute: ObjectAttribute, state: string): EvidenceRefused {
  const words = attribute.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
  return new EvidenceRefused(`${prefix}-${words}`, `${attribute} of the key is ${state}`);
}
