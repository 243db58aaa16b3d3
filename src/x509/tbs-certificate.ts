import type { KeyAlgorithm } from '#keys';
import type { Der } from './der-node.ts';
import { der } from './der-writer.ts';
import { type Extension, encodeExtensions } from './extensions/extension.ts';
import { type Name, encodeName } from './name.ts';
import { encodeSerialNumber } from './serial-number.ts';
import { signatureAlgorithmIdentifier } from './signature-algorithm.ts';

export interface TbsCertificateFields {
  /** As `Certificate` has it. */
  readonly serialNumber: string;
  /** The issuer's key, which decides the signature algorithm. */
  readonly signatureAlgorithm: KeyAlgorithm;
  /** The issuer's subject, byte for byte. */
  readonly issuer: Der;
  readonly subject: Name;
  /** Milliseconds since 1970, cut to the second. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly spki: Der;
  readonly extensions: readonly Extension[];
}

const version3 = der.explicit(0, der.integer(2));

/** TBSCertificate, version 3 (RFC 5280 section 4.1.2). Encodes what it is given; whether it may be issued is the linter's. */
export function encodeTbsCertificate(fields: TbsCertificateFields): Der {
  const extensions =
    fields.extensions.length === 0 ? [] : [der.explicit(3, encodeExtensions(fields.extensions))];
  return der.sequence(
    version3,
    encodeSerialNumber(fields.serialNumber),
    signatureAlgorithmIdentifier(fields.signatureAlgorithm),
    fields.issuer,
    der.sequence(der.time(fields.notBefore), der.time(fields.notAfter)),
    encodeName(fields.subject),
    fields.spki,
    ...extensions,
  );
}
