import { SallyportError } from '#errors';
import { type Der, der, oids, verifyRsaSha1Signature, verifySignature } from '#x509';
import { type TpmHash, algorithms, digestOctets, hashOf, unsupported } from './algorithms.ts';
import { TpmCursor } from './tpm-cursor.ts';

export interface SignatureAlgorithm {
  readonly scheme: 'rsassa' | 'rsapss' | 'ecdsa';
  readonly hash: TpmHash;
}

export interface TpmSignature extends SignatureAlgorithm {
  /** As certificates have signatures: for ECDSA the DER of both numbers. */
  readonly octets: Uint8Array;
}

/** COSE algorithms (RFC 9053 section 2, RFC 8812 section 2) of keys that a TPM has. */
const coseAlgorithms: ReadonlyMap<number, SignatureAlgorithm> = new Map<number, SignatureAlgorithm>([
  [-7, { scheme: 'ecdsa', hash: 'sha256' }],
  [-35, { scheme: 'ecdsa', hash: 'sha384' }],
  [-36, { scheme: 'ecdsa', hash: 'sha512' }],
  [-37, { scheme: 'rsapss', hash: 'sha256' }],
  [-38, { scheme: 'rsapss', hash: 'sha384' }],
  [-39, { scheme: 'rsapss', hash: 'sha512' }],
  [-257, { scheme: 'rsassa', hash: 'sha256' }],
  [-258, { scheme: 'rsassa', hash: 'sha384' }],
  [-259, { scheme: 'rsassa', hash: 'sha512' }],
  // What Windows signs with. Appraisal says whether that will do.
  [-65535, { scheme: 'rsassa', hash: 'sha1' }],
]);

const maximumRsaOctets = 512;
const maximumNumberOctets = 66;

export function signatureAlgorithmOf(cose: number): SignatureAlgorithm {
  const algorithm = coseAlgorithms.get(cose);
  if (algorithm === undefined) throw new SallyportError('unsupported', `alg ${cose} is not accepted`);
  return algorithm;
}

/** TPMT_SIGNATURE (section 11.3.4). Throws `malformed`, `unsupported` or `too-large`. */
export function parseSignature(bytes: Uint8Array): TpmSignature {
  const cursor = new TpmCursor(bytes, 'TPMT_SIGNATURE');
  const identifier = cursor.u16();
  const schemes = ['rsassa', 'rsapss', 'ecdsa'] as const;
  const scheme = schemes.find((each) => algorithms[each] === identifier);
  if (scheme === undefined) throw unsupported('sigAlg', identifier);
  const hash = hashOf(cursor.u16(), 'hash of the signature');
  const octets =
    scheme === 'ecdsa'
      ? der.sequence(numberOf(cursor, 'signatureR'), numberOf(cursor, 'signatureS'))
      : cursor.sized(maximumRsaOctets, 'signature');
  cursor.finish();
  return { scheme, hash, octets };
}

function numberOf(cursor: TpmCursor, field: string): Der {
  return der.integer(cursor.sized(maximumNumberOctets, field));
}

/** Whether the signature over `data` is by the key. SHA-1 is verified with RSASSA alone, as Windows has it. */
export function isSignedBy({ scheme, hash, octets }: TpmSignature, spki: Der, data: Uint8Array): boolean {
  if (hash === 'sha1') return scheme === 'rsassa' && verifyRsaSha1Signature(spki, data, octets);
  switch (scheme) {
    case 'rsassa':
      return verifySignature(rsassaOids[hash], spki, data, octets);
    case 'ecdsa':
      return verifySignature(ecdsaOids[hash], spki, data, octets);
    case 'rsapss':
      return saltLengths(hash, octets.length).some((salt) =>
        verifySignature(pssIdentifier(hash, salt), spki, data, octets),
      );
  }
}

type StrongHash = Exclude<TpmHash, 'sha1'>;

const rsassaOids: Readonly<Record<StrongHash, string>> = {
  sha256: oids.sha256WithRsaEncryption,
  sha384: oids.sha384WithRsaEncryption,
  sha512: oids.sha512WithRsaEncryption,
};
const ecdsaOids: Readonly<Record<StrongHash, string>> = {
  sha256: oids.ecdsaWithSha256,
  sha384: oids.ecdsaWithSha384,
  sha512: oids.ecdsaWithSha512,
};

/** Part 1 annex B: the salt is as long as the digest where FIPS 186 binds the TPM, and else the longest that the modulus has room for. */
function saltLengths(hash: StrongHash, modulusOctets: number): readonly number[] {
  const octets = digestOctets[hash];
  return [octets, modulusOctets - octets - 2].filter((length) => length >= octets);
}

/** RSASSA-PSS-params (RFC 4055 section 3.1). */
function pssIdentifier(hash: StrongHash, saltLength: number): Der {
  const hashIdentifier = der.sequence(der.oid(oids[hash]));
  return der.sequence(
    der.oid(oids.rsassaPss),
    der.sequence(
      der.explicit(0, hashIdentifier),
      der.explicit(1, der.sequence(der.oid(oids.mgf1), hashIdentifier)),
      der.explicit(2, der.integer(saltLength)),
    ),
  );
}
