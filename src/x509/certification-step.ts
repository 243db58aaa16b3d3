import { isSallyportError } from '#errors';
import { type Certificate, verifyCertificateSignature } from './certificate.ts';
import { parseBasicConstraints } from './extensions/basic-constraints.ts';
import { findExtension } from './extensions/extension.ts';
import { extensionOids } from './oids.ts';
import { equalBytes } from './octets.ts';

/** Critical extensions of which this and the caller make something. A name constraint is not among them, on purpose. */
const processed: ReadonlySet<string> = new Set([
  extensionOids.basicConstraints,
  extensionOids.keyUsage,
  extensionOids.extendedKeyUsage,
  extensionOids.subjectAltName,
]);

/**
 * Whether the certificate may stand below another one: RFC 5280 section 4.2, "a certificate-using system MUST reject the
 * certificate if it encounters a critical extension it does not recognize or [...] cannot process".
 */
export function mayFollow({ extensions }: Certificate): boolean {
  return (
    extensions.every(({ critical, oid }) => !critical || processed.has(oid)) &&
    findExtension(extensions, extensionOids.nameConstraints) === null
  );
}

/**
 * Whether the certificate is a CA's (RFC 5280 section 6.1.4 k and n), which version 1 cannot say. One with name constraints,
 * critical or not, never issues: to pass them over would be to issue beyond them.
 */
export function mayIssue({ isCa, keyUsage, extensions, subject }: Certificate): boolean {
  return (
    isCa &&
    (keyUsage === null || keyUsage.includes('keyCertSign')) &&
    findExtension(extensions, extensionOids.nameConstraints) === null &&
    // Section 4.1.2.4: "The issuer field MUST contain a non-empty distinguished name".
    subject.length > 0
  );
}

/**
 * Whether `issuer` issued the last certificate of the path and lets it be as long as it is (RFC 5280 section 6.1.3 a and
 * 6.1.4 l to m). `pay` is asked before the signature is verified; where it says no, the answer is no.
 */
export function verifiesUnder(
  path: readonly Certificate[],
  issuer: Certificate,
  pay: () => boolean,
): boolean {
  const last = path.at(-1);
  return (
    last !== undefined &&
    equalBytes(last.issuerDer, issuer.subjectDer) &&
    keyIdentifiersAgree(last, issuer) &&
    intermediates(path) <= pathLength(issuer) &&
    pay() &&
    isSignedBy(last, issuer)
  );
}

/** Sections 4.2.1.1 and 4.2.1.2: they tell keys of one name apart. Either may be absent. */
function keyIdentifiersAgree(last: Certificate, issuer: Certificate): boolean {
  const { authorityKeyIdentifier } = last;
  const { subjectKeyIdentifier } = issuer;
  if (authorityKeyIdentifier === null || subjectKeyIdentifier === null) return true;
  return equalBytes(authorityKeyIdentifier, subjectKeyIdentifier);
}

/** Section 4.2.1.9: those "that may follow this certificate", the self-issued and the last not counted. */
function intermediates([, ...above]: readonly Certificate[]): number {
  return above.filter(({ issuerDer, subjectDer }) => !equalBytes(issuerDer, subjectDer)).length;
}

function pathLength({ extensions }: Certificate): number {
  const value = findExtension(extensions, extensionOids.basicConstraints);
  return value === null ? 0 : (parseBasicConstraints(value).pathLength ?? Infinity);
}

/** An algorithm or a key that is not on the allow-lists is a signature that does not verify. */
function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return verifyCertificateSignature(certificate, issuer.spki);
  } catch (error) {
    if (isSallyportError(error, 'malformed', 'unsupported', 'too-large')) return false;
    throw error;
  }
}
