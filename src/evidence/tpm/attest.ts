import { SallyportError } from '#errors';
import { EvidenceRefused } from '../evidence-refused.ts';
import { TpmCursor } from './tpm-cursor.ts';

/** TPM_GENERATED_VALUE (section 6.2): no restricted key signs what begins with it and is not of the TPM itself. */
const generated = 0xff54_4347;

/** TPMI_ST_ATTEST (section 10.12.10). */
const types = { certify: 0x8017, creation: 0x801a } as const;

const maximumNameOctets = 66;
const maximumDataOctets = 66;
const maximumDigestOctets = 64;

/** TPMS_ATTEST (section 10.12.12) of a kind that is read here. */
export interface TpmsAttest {
  /** What the caller of the TPM had it put there. */
  readonly extraData: Uint8Array;
  /** 16 hexadecimal digits. The TPM disguises it unless the key that signs is of the endorsement or the platform hierarchy. */
  readonly firmwareVersion: string;
  /** The object that it speaks of. */
  readonly name: Uint8Array;
  /** TPMS_CERTIFY_INFO: qualifiedName (section 10.12.3). TPMS_CREATION_INFO: creationHash (10.12.7). */
  readonly more: Uint8Array;
}

/** Throws EvidenceRefused where it is of another kind, and `malformed` or `too-large`. */
export function parseAttest(bytes: Uint8Array, type: keyof typeof types): TpmsAttest {
  const cursor = new TpmCursor(bytes, 'TPMS_ATTEST');
  if (cursor.u32() !== generated) throw new EvidenceRefused('tpm-magic', 'no TPM made this attestation');
  if (cursor.u16() !== types[type]) {
    throw new EvidenceRefused('tpm-type', `the attestation is none of TPM_ST_ATTEST_${type.toUpperCase()}`);
  }
  cursor.sized(maximumNameOctets, 'qualifiedSigner');
  const extraData = cursor.sized(maximumDataOctets, 'extraData');
  clockInfoOf(cursor);
  const firmwareVersion = cursor.octets(8).toHex();
  const name = cursor.sized(maximumNameOctets, 'name');
  const more = cursor.sized(type === 'certify' ? maximumNameOctets : maximumDigestOctets, type);
  cursor.finish();
  return { extraData, firmwareVersion, name, more };
}

/** TPMS_CLOCK_INFO (section 10.11.1): clock, resetCount, restartCount, safe. */
function clockInfoOf(cursor: TpmCursor): void {
  cursor.octets(16);
  if (cursor.u8() > 1) throw new SallyportError('malformed', 'TPMS_ATTEST: safe is neither yes nor no');
}
