import {
  type Certificate,
  type Extension,
  type Name,
  buildName,
  der,
  encodeBasicConstraints,
  encodeKeyUsage,
  encodeName,
  encodeTbsCertificate,
  extensionOids,
  parseCertificate,
  signatureAlgorithmIdentifier,
} from '#x509';
import { hex } from './malformed.fixture.ts';
import { type SampleKey, extension, sampleKey, signed } from './sample.fixture.ts';

export const keys = { root: sampleKey(), middle: sampleKey(), leaf: sampleKey(), other: sampleKey() };

export interface Recipe {
  readonly subject: string;
  /** A commonName, or the DER of another name. */
  readonly issuer: string | Uint8Array;
  readonly key: SampleKey;
  readonly by: SampleKey;
  readonly serialNumber?: string;
  readonly extensions?: readonly Extension[];
}

function named(commonName: string): Name {
  return commonName === '' ? [] : buildName([{ type: 'commonName', value: commonName }]);
}

/** A certificate that ended in 1970: whoever looks at the clock here fails all tests. */
export function certificate({
  subject,
  issuer,
  key,
  by,
  serialNumber = '01',
  extensions = [],
}: Recipe): Certificate {
  const tbs = encodeTbsCertificate({
    serialNumber,
    signatureAlgorithm: by.algorithm,
    issuer: typeof issuer === 'string' ? encodeName(named(issuer)) : issuer,
    subject: named(subject),
    notBefore: 0,
    notAfter: 3e10,
    spki: key.spki,
    extensions,
  });
  return parseCertificate(signed(tbs, by));
}

export function ca(pathLength?: number): Extension {
  const constraints = pathLength === undefined ? { ca: true } : { ca: true, pathLength };
  return extension(extensionOids.basicConstraints, encodeBasicConstraints(constraints), true);
}

export const certSign = extension(extensionOids.keyUsage, encodeKeyUsage(['keyCertSign']), true);
export const unknown = extension('1.2.3.4', hex('05 00'), true);

export const rootRecipe = {
  subject: 'root',
  issuer: 'root',
  key: keys.root,
  by: keys.root,
  extensions: [ca()],
};
export const middleRecipe = {
  subject: 'middle',
  issuer: 'root',
  key: keys.middle,
  by: keys.root,
  extensions: [ca(), certSign],
};
export const leafRecipe = { subject: 'leaf', issuer: 'middle', key: keys.leaf, by: keys.middle };
export const root = certificate(rootRecipe);
export const middle = certificate(middleRecipe);
export const leaf = certificate(leafRecipe);
export const stranger = certificate({ ...rootRecipe, subject: 'stranger', issuer: 'stranger' });

/** Version 1 is without its field and without extensions (RFC 5280 section 4.1.2.1). */
export function versionOne(
  { subject, issuer, key, by }: Recipe,
  algorithm: Uint8Array = signatureAlgorithmIdentifier(by.algorithm),
): Certificate {
  const body = der.sequence(
    der.integer(1),
    algorithm,
    typeof issuer === 'string' ? encodeName(named(issuer)) : issuer,
    der.sequence(der.time(0), der.time(3e10)),
    encodeName(named(subject)),
    key.spki,
  );
  return parseCertificate(der.sequence(body, algorithm, der.bitString(by.sign(body))));
}
