import { SallyportError } from '#errors';
import { algorithms, hashOf } from './algorithms.ts';
import { TpmCursor } from './tpm-cursor.ts';

/** TPMS_CREATION_DATA (section 15.1). */
export interface TpmsCreationData {
  readonly parentName: Uint8Array;
  readonly parentQualifiedName: Uint8Array;
  /** What the caller of the TPM had it put there. */
  readonly outsideInfo: Uint8Array;
}

const maximumBanks = 16;
const maximumSelectOctets = 4;
const maximumNameOctets = 66;
const maximumDigestOctets = 64;

/** Throws `malformed`, `unsupported` or `too-large`. */
export function parseCreationData(bytes: Uint8Array): TpmsCreationData {
  const cursor = new TpmCursor(bytes, 'TPMS_CREATION_DATA');
  pcrSelectionOf(cursor);
  cursor.sized(maximumDigestOctets, 'pcrDigest');
  // Locality.
  cursor.u8();
  // TPM_ALG_NULL of a primary key, whose parent is a hierarchy.
  const parentNameAlg = cursor.u16();
  if (parentNameAlg !== algorithms.null) hashOf(parentNameAlg, 'parentNameAlg');
  const parentName = cursor.sized(maximumNameOctets, 'parentName');
  const parentQualifiedName = cursor.sized(maximumNameOctets, 'parentQualifiedName');
  const outsideInfo = cursor.sized(maximumNameOctets, 'outsideInfo');
  cursor.finish();
  return { parentName, parentQualifiedName, outsideInfo };
}

/** TPML_PCR_SELECTION (section 10.9.7). Nothing is made of it. */
function pcrSelectionOf(cursor: TpmCursor): void {
  const banks = cursor.u32();
  if (banks > maximumBanks) throw new SallyportError('too-large', `pcrSelect: ${banks} banks`);
  for (let bank = 0; bank < banks; bank += 1) {
    cursor.u16();
    const octets = cursor.u8();
    if (octets > maximumSelectOctets) throw new SallyportError('too-large', `pcrSelect: ${octets} octets`);
    cursor.octets(octets);
  }
}
