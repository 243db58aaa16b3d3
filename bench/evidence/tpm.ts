import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decode } from 'cborg';
import type { Evidence, ReferenceValues } from '#evidence';
import { parseCertificate, verifyCertificateSignature } from '#x509';
import type { Sample } from './formats.ts';

const recorded = path.resolve(import.meta.dirname, '../../test/fixtures/evidence');
const nonce = { toBeSigned: Buffer.from('token.thumbprint'), token: Buffer.from('token') };

export const tpmSamples: Readonly<Record<string, Sample>> = {
  'tpm, RSA-2048': sample('rsa', 'attestation-object'),
  'tpm, P-256': sample('ecc', 'attestation-object'),
  'tpm, P-256, attestation bundle': sample('ecc', 'attestation-bundle'),
};

interface Members {
  readonly attStmt: {
    readonly x5c: readonly Uint8Array[];
    readonly certInfo: Uint8Array;
    /** TPMT_SIGNATURE. */
    readonly sig: Uint8Array;
  };
}

/** One signature: the attestation key's over what it certifies. */
function sample(kind: 'rsa' | 'ecc', envelope: Evidence['envelope']): Sample {
  const object = readFileSync(path.join(recorded, `tpm-${kind}.cbor`));
  const { x5c, certInfo, sig } = (decode(object) as Members).attStmt;
  const [leaf, ca] = [parseCertificate(x5c[0]!), parseCertificate(x5c[1]!)];
  const spki = Buffer.from(leaf.spki);
  const signature = kind === 'rsa' ? sig.subarray(6) : p1363(sig);
  const file = envelope === 'attestation-object' ? `tpm-${kind}.cbor` : `tpm-${kind}.der`;
  return {
    evidence: { envelope, bytes: readFileSync(path.join(recorded, file)) },
    nonce,
    values: valuesOf(x5c[1]!),
    pathFloor() {
      if (!verifyCertificateSignature(leaf, ca.spki)) throw new Error(`the path of ${kind} does not verify`);
    },
    floor() {
      const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      const isGood = verify('sha256', certInfo, { key, dsaEncoding: 'ieee-p1363' }, signature);
      if (!isGood) throw new Error(`the signature of ${kind} does not verify`);
    },
  };
}

/** The attestation CA of the recorded statements is its own root, and its TPM one in software. */
function valuesOf(root: Uint8Array): ReferenceValues {
  const roots = [Buffer.from(root).toString('base64')];
  return {
    anchors: [{ name: 'recorded', format: 'tpm', level: 'virtual-tpm', roots, intermediates: [] }],
    levels: ['virtual-tpm'],
    tpm: {
      sha1: false,
      unregisteredManufacturers: true,
      manufacturers: null,
      minimumVersions: {},
      authPolicies: null,
    },
  };
}

/** signatureR and signatureS of 32 octets each, after their lengths. */
function p1363(sig: Uint8Array): Uint8Array {
  return Buffer.concat([sig.subarray(6, 38), sig.subarray(40, 72)]);
}
