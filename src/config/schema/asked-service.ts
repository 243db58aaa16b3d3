import * as z from 'zod';
import { secretReference } from './secret-reference.ts';
import { duration } from './values.ts';

/* Of services outside that are asked before anything is issued: workflows, and who verifies evidence. */

/** Over TLS, to nowhere but there: no query that something could be added to, no user name, no fragment. */
export const httpsUrl = z
  .string()
  .max(2048)
  .superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url?.protocol !== 'https:') context.addIssue('must be an https:// address');
    else if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
      context.addIssue('must have no user name, query or fragment: a secret has its own key');
    }
  })
  .meta({ form: 'https:// address' });

// A verdict holds for ten seconds.
export const askingTimeout = duration('1s', '8s')
  .prefault('5s')
  .describe('What has not answered by then is unavailable, and nothing is issued.');

export const signingKey = secretReference.describe(
  'The key of the signature (HMAC-SHA-256), at least 32 characters; the other side has the same.',
);
