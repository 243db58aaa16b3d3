import type { KeyAlgorithm } from '#keys';
import type { Der } from './der-node.ts';
import { der } from './der-writer.ts';
import { encodeReasonCode } from './extensions/crl-extensions.ts';
import { type Extension, encodeExtensions } from './extensions/extension.ts';
import { extensionOids } from './oids.ts';
import { encodeSerialNumber } from './serial-number.ts';
import { signatureAlgorithmIdentifier } from './signature-algorithm.ts';

export interface RevokedCertificate {
  /** As `Certificate` has it. */
  readonly serialNumber: string;
  /** Milliseconds since 1970. */
  readonly revokedAt: number;
  /** CRLReason; 0 is unspecified. */
  readonly reason: number;
}

export interface TbsCertListFields {
  readonly signatureAlgorithm: KeyAlgorithm;
  /** The issuer's subject, byte for byte. */
  readonly issuer: Der;
  /** Milliseconds since 1970, cut to the second. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** What `encodeRevokedCertificates` gave, in parts: a long list is never written in one go. */
  readonly revoked: readonly Der[];
  readonly extensions: readonly Extension[];
}

const version2 = der.integer(1);

/** TBSCertList, version 2 (RFC 5280 section 5.1.2). */
export function encodeTbsCertList(fields: TbsCertListFields): Der {
  // "When there are no revoked certificates, the revoked certificates list MUST be absent" (section 5.1.2.6).
  const revoked = fields.revoked.every((part) => part.length === 0) ? [] : [der.sequenceOf(fields.revoked)];
  const extensions =
    fields.extensions.length === 0 ? [] : [der.explicit(0, encodeExtensions(fields.extensions))];
  return der.sequence(
    version2,
    signatureAlgorithmIdentifier(fields.signatureAlgorithm),
    fields.issuer,
    der.time(fields.thisUpdate),
    der.time(fields.nextUpdate),
    ...revoked,
    ...extensions,
  );
}

/** Entries of revokedCertificates, one behind the other: a part of the list. */
export function encodeRevokedCertificates(revoked: readonly RevokedCertificate[]): Der {
  return Buffer.concat(revoked.map(encodeRevoked));
}

function encodeRevoked({ serialNumber, revokedAt, reason }: RevokedCertificate): Der {
  return der.sequence(encodeSerialNumber(serialNumber), der.time(revokedAt), encodeReason(reason));
}

const none: Der = new Uint8Array();
const reasons = new Map<number, Der>();

/** "the reason code CRL entry extension SHOULD be absent instead of using the unspecified (0) reasonCode" (section 5.3.1). */
function encodeReason(reason: number): Der {
  if (reason === 0) return none;
  let encoded = reasons.get(reason);
  if (encoded === undefined) {
    const extension = { oid: extensionOids.reasonCode, critical: false, value: encodeReasonCode(reason) };
    encoded = encodeExtensions([extension]);
    reasons.set(reason, encoded);
  }
  return encoded;
}
