import * as z from 'zod';
import { askingTimeout, httpsUrl, signingKey } from './asked-service.ts';
import { secretReference } from './secret-reference.ts';
import { path } from './values.ts';

const shared = {
  timeout: askingTimeout,
  ca: path
    .optional()
    .describe('PEM file of the CAs that vouch for its server certificate, and no others.')
    .meta({ otherwise: 'those that Node.js trusts' }),
};

const webhook = z
  .strictObject({
    kind: z.literal('webhook').describe('Asks an address of your own, with a signed request.'),
    url: httpsUrl.describe('Where the questions are posted to.'),
    key: signingKey,
    ...shared,
  })
  .describe('A system of your own that validates requests.');

const intune = z
  .strictObject({
    kind: z
      .literal('intune')
      .describe(
        'Asks Microsoft Intune to validate the challenges that it gives to devices (its third-party CA interface).',
      ),
    tenant: z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,253}$/, 'must be a tenant: its id, or a domain of it')
      .describe('Entra tenant.'),
    clientId: z
      .string()
      .regex(/^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/, 'must be the id of an application')
      .describe(
        'Application registered in it, with the permissions scep_challenge_provider (Intune) and Application.Read.All (Graph).',
      ),
    clientSecret: secretReference.describe('Its client secret.'),
    loginUrl: httpsUrl
      .default('https://login.microsoftonline.com')
      .describe('Where tokens are had; another one in national clouds.'),
    graphUrl: httpsUrl
      .default('https://graph.microsoft.com')
      .describe('Where the address of the validation service is had.'),
    resourceUrl: httpsUrl
      .default('https://api.manage.microsoft.com')
      .describe('What the token for the validation service is for.'),
    ...shared,
  })
  .describe('Microsoft Intune.');

export const workflow = z.discriminatedUnion('kind', [webhook, intune]);
