import { hash } from 'node:crypto';
import type { Extension } from '#x509';
import { hardwareBy, type PlayedHardware, sent } from './played-hardware.ts';
import type { TestCa } from './pki.ts';

/** What may differ from a Mac that is as it should be. */
export interface MacSettings {
  readonly osVersion?: string;
  readonly systemIntegrityProtection?: 'enabled' | 'disabled';
}

/** Managed Device Attestation, whose certificate says everything, and which Apple makes before it knows the account: it holds the token. */
export function mac(
  apple: TestCa,
  serialNumber: string,
  { osVersion = '26.1', systemIntegrityProtection = 'enabled' }: MacSettings = {},
): PlayedHardware {
  const attestation = apple.intermediate('Attestation CA of Apple');
  return hardwareBy(({ token }, key) => {
    const said = {
      '9.1': serialNumber,
      '10.1': osVersion,
      '11.1': hash('sha256', token, 'buffer'),
      '13.1': systemIntegrityProtection === 'enabled' ? '0' : '1',
    };
    const leaf = attestation.endEntity({
      subject: [{ type: 'commonName', value: serialNumber }],
      key,
      extensions: Object.entries(said).map(([arcs, value]) => property(arcs, value)),
    });
    return { fmt: 'apple', attStmt: { x5c: sent(leaf) } };
  });
}

/** Octets without a type around them. */
function property(arcs: string, value: Uint8Array | string): Extension {
  return { oid: `1.2.840.113635.100.8.${arcs}`, critical: false, value: Buffer.from(value) };
}
