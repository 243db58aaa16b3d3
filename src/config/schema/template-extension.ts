import * as z from 'zod';
import { isSallyportError } from '#errors';
import { defaultDerLimits, der as derOf, extensionOids, oids, readDer } from '#x509';
import { oid } from './values.ts';

const ownKey = (key: string) => `comes from \`${key}\`; it is not written by hand`;
const ofAuthorities = 'is for certification authorities and those who answer for them; no device may have it';
const ofResources = 'must be a subset of what the issuer holds (RFC 3779), and the issuer holds none';
const ofIdentity = 'says more of the holder than is the same for every device';

/**
 * Extensions that a template cannot add: those built from its other keys or the device, and those known to give authority with one relying
 * party or another. The list cannot be complete: what an extension means is for the operator who writes it down to know.
 */
export const reservedExtensions: ReadonlyMap<string, string> = new Map([
  [extensionOids.authorityInfoAccess, 'comes from `publicUrl` of the issuer; it is not written by hand'],
  [extensionOids.subjectInfoAccess, ofAuthorities],
  [extensionOids.subjectAltName, ownKey('subjectAltName')],
  [extensionOids.keyUsage, ownKey('keyUsage')],
  [extensionOids.extendedKeyUsage, ownKey('extendedKeyUsage')],
  [extensionOids.certificatePolicies, ownKey('policies')],
  [oids.msSid, 'signs in to a Windows account, whoever holds it: it is not the same for every device'],
  [oids.msTemplateName, 'can mark a domain controller for Windows (DomainController)'],
  [oids.msTemplate, 'makes Windows take it for a certificate of its own template'],
  [oids.msApplicationPolicies, 'overrides extendedKeyUsage on Windows; list the usages there'],
  [oids.msApplicationPolicyMappings, ofAuthorities],
  [oids.msApplicationPolicyConstraints, ofAuthorities],
  [oids.netscapeCertType, 'can make a CA of a device for old software'],
  [oids.proxyCertInfo, 'lets a device issue certificates in its own name (RFC 3820)'],
  ['1.3.6.1.4.1.3536.1.222', 'lets a device issue certificates in its own name (a draft of RFC 3820)'],
  ['1.3.6.1.4.1.44363.44', 'lets a device delegate its credential to other keys (RFC 9345)'],
  [oids.ocspNoCheck, ofAuthorities],
  ['1.3.6.1.5.5.7.1.24', 'promises OCSP staples (RFC 7633), and no OCSP is answered yet'],
  ['1.3.6.1.5.5.7.1.7', ofResources],
  ['1.3.6.1.5.5.7.1.8', ofResources],
  ['1.3.6.1.5.5.7.1.28', ofResources],
  ['1.3.6.1.5.5.7.1.29', ofResources],
  ['1.3.6.1.5.5.7.1.21', ofAuthorities],
  ['1.3.6.1.5.5.7.1.26', ofIdentity],
  ['1.3.6.1.5.5.7.1.3', ofIdentity],
  ['1.3.6.1.4.1.34380.1.3.39', "makes an administrator of Puppet's CA"],
  [
    '1.3.6.1.4.1.11129.2.4.3',
    'makes the certificate a precertificate, which no relying party takes (RFC 6962)',
  ],
]);

/** id-ce: the extensions of X.509 itself. What a device may have of them, other keys of a template build. */
const x509Arc = '2.5.29.';
const mostBytes = 2048;
const mostBytesTogether = 8192;

const der = z
  .string()
  .regex(/^[0-9a-f]{2}(?::?[0-9a-f]{2})*$/i, 'must be DER in hexadecimal, such as 0c0161')
  .transform((text, context) => {
    const hex = text.replaceAll(':', '').toLowerCase();
    try {
      readDer(Uint8Array.fromHex(hex), { ...defaultDerLimits, maximumBytes: mostBytes });
    } catch (error) {
      if (!isSallyportError(error)) throw error;
      context.addIssue(`is not one DER value: ${error.message}`);
    }
    return hex;
  })
  .meta({ form: 'DER in hexadecimal' });

const extensionOid = oid.superRefine((value, context) => {
  const reason =
    reservedExtensions.get(value) ??
    (value.startsWith(x509Arc) ? 'belongs to X.509 itself; other keys of a template build those' : null);
  if (reason !== null) context.addIssue(`extension ${value} ${reason}`);
  try {
    derOf.oid(value);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    context.addIssue(error.message);
  }
});

const templateExtension = z.strictObject({
  oid: extensionOid.describe(
    'Which extension. None that another key builds, and none that is known to give a device authority.',
  ),
  critical: z
    .boolean()
    .default(false)
    .describe('A relying party that does not know it refuses the certificate (RFC 5280 section 4.2).'),
  value: der.describe('Its value, the same for every certificate of the template.'),
});

/** Extensions of one's own, each once (RFC 5280 section 4.2). */
export const templateExtensions = z
  .array(templateExtension)
  .max(16)
  .superRefine((extensions, context) => {
    const bytes = extensions.reduce((sum, { value }) => sum + value.length / 2, 0);
    if (bytes > mostBytesTogether) {
      context.addIssue(`have ${bytes} bytes together, at most ${mostBytesTogether}`);
    }
    for (const [index, { oid: value }] of extensions.entries()) {
      if (extensions.findIndex((other) => other.oid === value) < index) {
        context.addIssue({ code: 'custom', path: [index, 'oid'], message: 'stands here twice' });
      }
    }
  });
