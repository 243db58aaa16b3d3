import * as z from 'zod';
import { isSallyportError } from '#errors';
import { extensionOids, oids, readDer } from '#x509';
import { oid } from './values.ts';

const ownKey = (key: string) => `comes from \`${key}\`; it is not written by hand`;
const ofAuthorities = 'is for certification authorities and those who answer for them; no device may have it';

/** Extensions that a template cannot add: those built from its other keys or the device, and those that would give a device authority. */
const reserved: ReadonlyMap<string, string> = new Map([
  [extensionOids.subjectAltName, ownKey('subjectAltName')],
  [extensionOids.keyUsage, ownKey('keyUsage')],
  [extensionOids.extendedKeyUsage, ownKey('extendedKeyUsage')],
  [extensionOids.certificatePolicies, ownKey('policies')],
  [extensionOids.authorityInfoAccess, 'comes from `publicUrl` of the issuer; it is not written by hand'],
  [oids.msSid, 'signs in to a Windows account, whoever holds it: it is not the same for every device'],
  [oids.msApplicationPolicies, 'overrides extendedKeyUsage on Windows; list the usages there'],
  [oids.msApplicationPolicyMappings, ofAuthorities],
  [oids.msApplicationPolicyConstraints, ofAuthorities],
  [oids.netscapeCertType, 'can make a CA of a device for old software'],
  [oids.proxyCertInfo, 'lets a device issue certificates in its own name (RFC 3820)'],
  [oids.ocspNoCheck, ofAuthorities],
]);

/** id-ce: the extensions of X.509 itself. What a device may have of them, other keys of a template build. */
const x509Arc = '2.5.29.';
const mostBytes = 4096;

const der = z
  .string()
  .regex(/^[0-9a-f]{2}(?::?[0-9a-f]{2})*$/i, 'must be DER in hexadecimal, such as 3003020105')
  .max(3 * mostBytes)
  .transform((text, context) => {
    const hex = text.replaceAll(':', '').toLowerCase();
    try {
      readDer(Uint8Array.fromHex(hex));
    } catch (error) {
      if (!isSallyportError(error)) throw error;
      context.addIssue(`is not one DER value: ${error.message}`);
    }
    return hex;
  })
  .meta({ form: 'DER in hexadecimal' });

const extensionOid = oid.superRefine((value, context) => {
  const reason =
    reserved.get(value) ??
    (value.startsWith(x509Arc) ? 'belongs to X.509 itself; other keys of a template build those' : null);
  if (reason !== null) context.addIssue(`extension ${value} ${reason}`);
});

const templateExtension = z.strictObject({
  oid: extensionOid.describe(
    'Which extension. None that another key builds, and none that gives a device authority.',
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
    for (const [index, { oid: value }] of extensions.entries()) {
      if (extensions.findIndex((other) => other.oid === value) < index) {
        context.addIssue({ code: 'custom', path: [index, 'oid'], message: 'stands here twice' });
      }
    }
  });
