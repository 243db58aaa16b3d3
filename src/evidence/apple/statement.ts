import { hash } from 'node:crypto';
import { type Extension, type Certificate, findExtension } from '#x509';
import type { AttestationStatement } from '../attestation-object.ts';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { EvidenceIdentities, ReadStatement } from '../examination.ts';
import { sameOctets } from '../same-octets.ts';
import { statementText } from '../statement-text.ts';
import type { AppleClaims } from './claims.ts';

/** Apple's schema of device management, DeviceInformation response, DevicePropertiesAttestation. */
const oids = {
  serialNumber: '1.2.840.113635.100.8.9.1',
  udid: '1.2.840.113635.100.8.9.2',
  softwareUpdateDeviceId: '1.2.840.113635.100.8.9.4',
  osVersion: '1.2.840.113635.100.8.10.1',
  sepOsVersion: '1.2.840.113635.100.8.10.2',
  llbVersion: '1.2.840.113635.100.8.10.3',
  freshness: '1.2.840.113635.100.8.11.1',
  systemIntegrityProtection: '1.2.840.113635.100.8.13.1',
  secureBoot: '1.2.840.113635.100.8.13.2',
  thirdPartyKernelExtensions: '1.2.840.113635.100.8.13.3',
} as const;

/**
 * apple: Managed Device Attestation, whose certificate says everything. It is not the `apple` of WebAuthn, which has another root and another
 * extension. `alg` came in the drafts of that one and means nothing.
 */
export function readAppleStatement(
  statement: AttestationStatement,
  [leaf]: readonly Certificate[],
): ReadStatement {
  statement.requireNames(['x5c', 'alg']);
  const { extensions, spki } = leaf!;
  const freshness = freshnessOf(extensions);
  return {
    content: {
      spki: hash('sha256', spki),
      identities: identitiesOf(extensions),
      claims: claimsOf(extensions),
    },
    isFresh: ({ token }) => sameOctets(freshness, hash('sha256', token, 'buffer')),
  };
}

/** 32 octets without a type around them. Apple signs before the account is known, so it is the token that is hashed. */
function freshnessOf(extensions: readonly Extension[]): Uint8Array {
  const freshness = findExtension(extensions, oids.freshness);
  if (freshness?.length === 32) return freshness;
  throw new EvidenceRefused('apple-freshness', 'there is no freshness code of 32 octets');
}

/** Under User Enrollment Apple names no device, and there is none of them. */
function identitiesOf(extensions: readonly Extension[]): EvidenceIdentities {
  const serialNumber = textOf(extensions, 'serialNumber');
  const udid = textOf(extensions, 'udid');
  return {
    ...(serialNumber === null ? {} : { serialNumber }),
    ...(udid === null ? {} : { udid }),
  };
}

function claimsOf(extensions: readonly Extension[]): AppleClaims {
  return {
    format: 'apple',
    osVersion: textOf(extensions, 'osVersion'),
    sepOsVersion: textOf(extensions, 'sepOsVersion'),
    llbVersion: textOf(extensions, 'llbVersion'),
    softwareUpdateDeviceId: textOf(extensions, 'softwareUpdateDeviceId'),
    systemIntegrityProtection: read(extensions, 'systemIntegrityProtection', (value) => {
      const disabled = numberOf(value);
      return disabled === 0 ? 'enabled' : disabled === 1 ? 'disabled' : 'unknown';
    }),
    secureBoot: read(extensions, 'secureBoot', secureBootOf),
    thirdPartyKernelExtensions: read(extensions, 'thirdPartyKernelExtensions', (value) => {
      const allowed = numberOf(value);
      if (allowed === null) return 'unknown';
      return allowed === 0 ? 'forbidden' : 'allowed';
    }),
  };
}

/** Apple documents text; an INTEGER 0 was seen where a Mac was at Full Security, and of other numbers nothing is known. */
function secureBootOf(value: Uint8Array): NonNullable<AppleClaims['secureBoot']> {
  if (numberOf(value) === 0) return 'full';
  switch (Buffer.from(value).toString('latin1')) {
    case 'Full Security':
      return 'full';
    case 'Reduced Security':
      return 'reduced';
    case 'Permissive Security':
      return 'permissive';
    default:
      return 'unknown';
  }
}

/** A digit, or an INTEGER of one octet in DER: both were seen. null: neither. */
function numberOf(value: Uint8Array): number | null {
  const [first = 0, length, integer = 0] = value;
  if (value.length === 1 && first >= 0x30 && first <= 0x39) return first - 0x30;
  return value.length === 3 && first === 2 && length === 1 && integer < 0x80 ? integer : null;
}

function textOf(extensions: readonly Extension[], name: keyof typeof oids): string | null {
  return read(extensions, name, (value) => statementText(value, name));
}

function read<T>(
  extensions: readonly Extension[],
  name: keyof typeof oids,
  reader: (value: Uint8Array) => T,
): T | null {
  const value = findExtension(extensions, oids[name]);
  return value === null ? null : reader(value);
}
