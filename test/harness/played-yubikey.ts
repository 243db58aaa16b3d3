import { sign } from 'node:crypto';
import { encode } from 'cborg';
import { der, type Extension } from '#x509';
import { hardwareBy, type PlayedHardware, sent } from './played-hardware.ts';
import type { TestCa } from './pki.ts';

/** What may differ from a YubiKey that is as it should be. */
export interface YubiKeySettings {
  readonly firmware?: readonly [number, number, number];
  readonly touchPolicy?: keyof typeof touchPolicies;
}

const touchPolicies = { never: 1, always: 2, cached: 3 } as const;
const pinOnce = 2;
/** ECDSA with SHA-256, as COSE has it (RFC 9053 section 2.1). */
const es256 = -7;

/** Its PIV application, as step's client attests with it: the attested key signs, for no certificate of a YubiKey has a nonce. `serialNumber`: in digits. */
export function yubiKey(
  yubico: TestCa,
  serialNumber: string,
  { firmware = [5, 7, 1], touchPolicy = 'always' }: YubiKeySettings = {},
): PlayedHardware {
  const attestation = yubico.intermediate('Yubico PIV Attestation');
  return hardwareBy(({ toBeSigned }, key) => {
    const leaf = attestation.endEntity({
      subject: [{ type: 'commonName', value: 'YubiKey PIV Attestation 9a' }],
      key,
      extensions: [
        property(3, Uint8Array.of(...firmware)),
        property(7, der.integer(BigInt(serialNumber))),
        property(8, Uint8Array.of(pinOnce, touchPolicies[touchPolicy])),
      ],
    });
    const sig = encode(new Uint8Array(sign('sha256', toBeSigned, key.privateKey)));
    return { fmt: 'step', attStmt: { alg: es256, sig, x5c: sent(leaf) } };
  });
}

/** https://developers.yubico.com/PIV/Introduction/PIV_attestation.html */
function property(arc: number, value: Uint8Array): Extension {
  return { oid: `1.3.6.1.4.1.41482.3.${arc}`, critical: false, value };
}
