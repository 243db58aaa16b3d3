import * as z from 'zod';
import { encryptedKey } from './secret-reference.ts';
import { duration, path } from './values.ts';

/**
 * RFC 5280 section 8: CAs SHOULD NOT include URIs that specify https in extensions; who fetches a CRL to check a TLS
 * server would need the CRL first.
 */
const publicUrl = z
  .string()
  .superRefine((text, context) => {
    const url = URL.parse(text);
    if (url?.protocol === 'https:') {
      context.addIssue(
        'must be http: certificates and CRLs are signed, and fetching them must not need TLS (RFC 5280 section 8)',
      );
    } else if (
      url?.protocol !== 'http:' ||
      url.username !== '' ||
      url.password !== '' ||
      /[?#\s]/.test(text)
    ) {
      context.addIssue('must be an http URL without user, query and fragment');
    }
  })
  .transform((text) => text.replace(/\/+$/, ''))
  .meta({ form: 'http URL' });

const crl = z
  .strictObject({
    lifetime: duration('10m', '366d').prefault('7d').describe('From thisUpdate to nextUpdate.'),
    refresh: duration('1m', '366d')
      .prefault('1d')
      .describe(
        'A new CRL at least this often, besides one at each revocation. Shorter than the lifetime: the rest is the time to mend a publisher that stands still.',
      ),
  })
  .superRefine(({ lifetime, refresh }, context) => {
    if (refresh >= lifetime) {
      context.addIssue({ code: 'custom', path: ['refresh'], message: 'must be shorter than the lifetime' });
    }
  });

const next = z.strictObject({
  certificate: path.describe('Its certificate, PEM.'),
  chain: z
    .array(path)
    .max(8)
    .default([])
    .describe('The certificates above it, PEM files, the root last; none where it is a root.'),
  ra: path.optional().describe('The certificate of its RA, PEM, where that is known already.'),
});

export const issuer = z.strictObject({
  certificate: path.describe('The issuing CA certificate, PEM.'),
  chain: z.array(path).min(1).describe('The certificates above it, PEM files, the root last.'),
  rollover: z
    .array(path)
    .max(16)
    .default([])
    .describe(
      'After a change of the root: OldWithOld, OldWithNew and NewWithOld (RFC 4210 section 4.4), and CAs below the old root, PEM files. EST cacerts gives them after the chain.',
    ),
  key: encryptedKey.describe('Its private key.'),
  ra: z
    .strictObject({
      key: encryptedKey.describe('Its private key: RSA of 2048 bits or more, the same on every node.'),
    })
    .optional()
    .describe(
      'The RA that opens the requests of SCEP and signs its answers (RFC 8894 section 2.1.2). Its certificate is issued and renewed by itself. Absent: no listener may serve SCEP for templates of this issuer.',
    ),
  next: next
    .optional()
    .describe(
      'The CA that will follow when the certificate ends: GetNextCACert gives these certificates, signed by the RA (RFC 8894 section 4.7). No key is wanted here. Absent: it is not offered.',
    ),
  crl: crl.prefault({}).describe('Its revocation list.'),
  publicUrl: publicUrl.describe(
    'Base of the CRL and CA certificate URLs (CDP, AIA) in every certificate: a public listener as devices reach it.',
  ),
});
