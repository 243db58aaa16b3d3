import * as z from 'zod';
import { evidenceFormats, externalType } from '#evidence';
import { askingTimeout, httpsUrl, signingKey } from './asked-service.ts';
import { secretReference } from './secret-reference.ts';
import { distinct, path } from './values.ts';

const format = z
  .string()
  .regex(externalType, 'is 1 to 32 printable ASCII characters without quotation mark and backslash')
  .refine(
    (name) => !evidenceFormats.some((each) => each === name),
    'is a format that is read here: nobody outside is asked about it',
  )
  .meta({ form: 'name of a format' });

/** Who reads evidence that only its vendor can read. What it says is believed, so that it is known by a CA of its own, and knows us by a certificate. */
export const verifier = z.strictObject({
  url: httpsUrl.describe('Where the questions are posted to.'),
  ca: path.describe('PEM file of the CAs that vouch for its server certificate, and no others.'),
  client: z
    .strictObject({
      certificate: path.describe('PEM file: the certificate, then those between it and its root.'),
      key: z
        .strictObject({
          file: path.describe('Private key, PKCS#8 PEM.'),
          passphrase: secretReference.optional().describe('Passphrase of the key, where it is encrypted.'),
        })
        .describe('Its private key.'),
    })
    .describe('By which the verifier knows the authority (TLS client authentication).'),
  key: signingKey,
  formats: distinct(format).describe(
    'What evidence calls itself (`fmt`) that it reads, such as samsung-knox; of a class no two verifiers have one in common.',
  ),
  identifiers: distinct(
    z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, 'is serialNumber, or a name among identifiers'),
    0,
  )
    .default([])
    .describe(
      'What it is told of the device beside its id, where the inventory has it: serialNumber, or identifiers such as imei.',
    ),
  timeout: askingTimeout,
});
