import * as z from 'zod';
import { path } from './values.ts';

const howToRefer =
  'a secret does not stand in this file: write { file: PATH } or { env: NAME }, and change the secret if one stood here';

/** Where a secret is. Plain text is refused, and never repeated in the message. */
export const secretReference = z
  .strictObject(
    {
      file: path.optional().describe('A file that only its owner can read.'),
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
        .optional()
        .describe('An environment variable.'),
    },
    { error: ({ input }) => (typeof input === 'object' || input === undefined ? undefined : howToRefer) },
  )
  .transform((reference, context) => {
    const { file, env } = reference;
    if (file !== undefined && env === undefined) return { file };
    if (env !== undefined && file === undefined) return { env };
    context.addIssue('a secret is either { file: PATH } or { env: NAME }');
    return z.NEVER;
  })
  .meta({ form: 'secret' });

/** A private key that always is encrypted. */
export const encryptedKey = z.strictObject({
  file: path.describe('Private key, PKCS#8 PEM, encrypted.'),
  passphrase: secretReference.describe('Passphrase of the key.'),
});
