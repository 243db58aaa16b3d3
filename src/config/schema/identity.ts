import * as z from 'zod';
import { distinct, entryName, oid, path } from './values.ts';

/** Where an identity says which device it is. */
const sources = ['hardwareModuleName', 'serialNumber', 'commonName'] as const;

/** An identity that came from elsewhere, and what it may vouch for. Its name is the key above it. */
export const identity = z.strictObject({
  kind: z
    .enum(['idevid', 'mdm', 'ra'])
    .describe(
      'idevid: made by the manufacturer (IEEE 802.1AR). mdm: pushed by a management system. ra: a registration authority that forwards the requests of devices (RFC 7030 section 3.3.2, id-kp-cmcRA).',
    ),
  certificates: z
    .array(path)
    .min(1)
    .max(64)
    .describe(
      'PEM files. idevid, mdm: the CAs by which such identities are verified. ra: the certificates of the registration authorities themselves, each of them; a CA beside them is named to clients in the handshake, and vouches for nobody.',
    ),
  device: z
    .enum(['id', 'serialNumber'])
    .default('serialNumber')
    .describe('Column of the inventory that the identity names.'),
  from: distinct(z.enum(sources))
    .default(['hardwareModuleName', 'serialNumber'])
    .describe(
      'Where the name stands, the first that is there: HardwareModuleName of the SAN (RFC 4108), or an attribute of the subject. Of the certificate; with ra, of the request. A HardwareModuleName whose serial number is no text is `hex:` and its octets, such as hex:0011aabb, also in the inventory.',
    ),
  hardwareTypes: distinct(oid)
    .optional()
    .describe(
      'Hardware types (hwType of HardwareModuleName) that it may vouch for; a serial number is unique within one. With it, `from` must be [hardwareModuleName] alone.',
    )
    .meta({ otherwise: 'any' }),
  classes: distinct(entryName).describe('Device classes that it may vouch for.'),
  templates: distinct(entryName).describe(
    'Templates for which it may vouch; each must list the kind in `authentication`.',
  ),
});
