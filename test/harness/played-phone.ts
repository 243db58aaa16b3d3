import { type Der, der } from '#x509';
import { hardwareBy, type PlayedHardware, sent } from './played-hardware.ts';
import type { TestCa } from './pki.ts';

/** What may differ from a phone that is as it should be. `attestation`: the CA of its attestation key. */
export interface PhoneSettings {
  readonly osPatchLevel?: number;
  readonly attestation?: TestCa;
}

const keyDescriptionOid = '1.3.6.1.4.1.11129.2.1.17';

/** The CA by which the TEE of one phone certifies its keys, provisioned remotely: the highest below the root is Google's. */
export function attestationKeyOf(google: TestCa): TestCa {
  const server = below(below(google, 'Droid CA2', 'Google LLC'), 'Droid CA3', 'Google LLC');
  return below(server, '65d2949536924da695f5ae1eb290cd4d', 'TEE');
}

function below(ca: TestCa, commonName: string, organizationName: string): TestCa {
  const subject = Object.entries({ commonName, organizationName }).map(([type, value]) => ({ type, value }));
  return ca.intermediate(commonName, { subject });
}

/** A phone with Android, by its key attestation: https://source.android.com/docs/security/features/keystore/attestation. */
export function phone(
  google: TestCa,
  serialNumber: string,
  { osPatchLevel = 202_608, attestation = attestationKeyOf(google) }: PhoneSettings = {},
): PlayedHardware {
  return hardwareBy(({ toBeSigned }, key) => {
    const value = keyDescriptionOf(toBeSigned, serialNumber, osPatchLevel);
    const target = attestation.endEntity({
      subject: [{ type: 'commonName', value: 'Android Keystore Key' }],
      key,
      extensions: [{ oid: keyDescriptionOid, critical: false, value }],
    });
    return { fmt: 'android-key', attStmt: { x5c: [...sent(target), google.certificate] } };
  });
}

/** KeyDescription of a key for signatures that was made in the TEE of a phone with its maker's own system. */
function keyDescriptionOf(challenge: Uint8Array, serialNumber: string, osPatchLevel: number): Der {
  const [tee, sign, generated, verified] = [1, 2, 0, 0];
  const rootOfTrust = der.sequence(
    der.octetString(new Uint8Array(32).fill(0xab)),
    der.boolean(true),
    der.enumerated(verified),
    der.octetString(new Uint8Array(32).fill(0xcd)),
  );
  const hardwareEnforced = der.sequence(
    tagged(1, der.set(der.integer(sign))),
    tagged(702, der.integer(generated)),
    tagged(704, rootOfTrust),
    tagged(706, der.integer(osPatchLevel)),
    tagged(713, der.octetString(Buffer.from(serialNumber))),
  );
  return der.sequence(
    der.integer(300),
    der.enumerated(tee),
    der.integer(300),
    der.enumerated(tee),
    der.octetString(challenge),
    der.octetString(new Uint8Array()),
    der.sequence(),
    hardwareEnforced,
  );
}

/** [n] EXPLICIT, of numbers above 30 in octets of seven bits (X.690 section 8.1.2.4). */
function tagged(n: number, inner: Der): Der {
  const element = der.explicit(0, inner);
  const identifier = n < 31 ? [0xa0 | n] : [0xbf, ...(n < 0x80 ? [n] : [0x80 | (n >> 7), n & 0x7f])];
  return Uint8Array.of(...identifier, ...element.subarray(1));
}
