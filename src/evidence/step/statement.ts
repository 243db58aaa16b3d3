import { hash } from 'node:crypto';
import { SallyportError } from '#errors';
import { type Certificate, attributeTypeOid, findExtension, readDer, tags } from '#x509';
import type { AttestationStatement } from '../attestation-object.ts';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { ReadStatement } from '../examination.ts';
import { isSignedByAttestedKey } from '../statement-signature.ts';
import { statementText } from '../statement-text.ts';
import { formFactors, pinPolicies, touchPolicies } from './claims.ts';

/** https://developers.yubico.com/PIV/Introduction/PIV_attestation.html, which gives raw octets for all but the serial number. */
const yubico = {
  firmware: '1.3.6.1.4.1.41482.3.3',
  serialNumber: '1.3.6.1.4.1.41482.3.7',
  policies: '1.3.6.1.4.1.41482.3.8',
  formFactor: '1.3.6.1.4.1.41482.3.9',
} as const;
/** smallstep's own: SEQUENCE { deviceID }. */
const managedDevice = '1.3.6.1.4.1.37476.9000.64.4';

const maximumSerialOctets = 8;

/** step (step CLI and step-ca): the attested key signs the nonce itself, for no certificate of a YubiKey has one. */
export function readStepStatement(
  statement: AttestationStatement,
  [leaf]: readonly Certificate[],
): ReadStatement {
  statement.requireNames(['x5c', 'alg', 'sig']);
  const alg = statement.integer('alg');
  const signature = statement.bytesInBytes('sig');
  return {
    content: { spki: hash('sha256', leaf!.spki), ...deviceOf(leaf!) },
    isFresh: ({ toBeSigned }) => isSignedByAttestedKey(leaf!.spki, alg, toBeSigned, signature),
  };
}

type Device = Pick<ReadStatement['content'], 'identities' | 'claims'>;

/** One of both kinds: with the extensions of both, it would be up to the reader which device it is. */
function deviceOf(leaf: Certificate): Device {
  const isManaged = findExtension(leaf.extensions, managedDevice) !== null;
  const isYubiKey = Object.values(yubico).some((oid) => findExtension(leaf.extensions, oid) !== null);
  if (isManaged === isYubiKey) {
    throw new EvidenceRefused(
      'step-device',
      'the certificate is neither of a YubiKey nor of a managed device',
    );
  }
  return isYubiKey ? yubiKeyOf(leaf) : managedDeviceOf(leaf);
}

function yubiKeyOf({ extensions, subject }: Certificate): Device {
  function read(name: keyof typeof yubico, octets: number): Uint8Array | null {
    const value = findExtension(extensions, yubico[name]);
    if (value !== null && value.length !== octets) {
      throw new SallyportError('malformed', `${name}: expected ${octets} octets`);
    }
    return value;
  }
  const serialNumber = findExtension(extensions, yubico.serialNumber);
  const [pin, touch] = read('policies', 2) ?? [];
  const [form] = read('formFactor', 1) ?? [];
  return {
    identities: serialNumber === null ? {} : { serialNumber: serialNumberOf(serialNumber) },
    claims: {
      format: 'step',
      kind: 'yubikey',
      firmware: read('firmware', 3)?.join('.') ?? null,
      slot: slotOf(subject),
      pinPolicy: fromOne(pinPolicies, pin),
      touchPolicy: fromOne(touchPolicies, touch),
      // The highest bit is that of the FIPS series.
      formFactor: form === undefined ? null : fromOne(formFactors, form & 0x7f),
      fips: form === undefined ? null : form >= 0x80,
    },
  };
}

function managedDeviceOf({ extensions }: Certificate): Device {
  const fields = readDer(findExtension(extensions, managedDevice)!).sequence('managed device');
  const deviceId = fields.next();
  fields.finish();
  if (deviceId.tag !== tags.utf8String && deviceId.tag !== tags.printableString) {
    throw new SallyportError('malformed', 'managed device: expected text');
  }
  return {
    identities: { serialNumber: statementText(deviceId.content, 'deviceID') },
    claims: {
      format: 'step',
      kind: 'managed-device',
      firmware: null,
      slot: null,
      pinPolicy: null,
      touchPolicy: null,
      formFactor: null,
      fips: null,
    },
  };
}

/** In decimal digits, as it is printed on the key. */
function serialNumberOf(value: Uint8Array): string {
  const octets = readDer(value).unsignedBytes('serialNumber');
  if (octets.length > maximumSerialOctets) {
    throw new SallyportError('too-large', `serialNumber of ${octets.length} octets`);
  }
  return BigInt(`0x${octets.toHex()}`).toString();
}

function slotOf(subject: Certificate['subject']): string | null {
  const commonName = subject.flat().find(({ type }) => type === attributeTypeOid('commonName'));
  return /^YubiKey PIV Attestation ([0-9a-f]{2})$/.exec(commonName?.value ?? '')?.[1] ?? null;
}

function fromOne<T>(names: readonly T[], value: number | undefined): T | null {
  return names[(value ?? 0) - 1] ?? null;
}
