import * as z from 'zod';
import { database } from './database.ts';
import { deviceClass, deviceClassName } from './device-class.ts';
import { attestation } from './evidence.ts';
import { identity } from './identity.ts';
import { issuer } from './issuer.ts';
import { limits } from './limits.ts';
import { listener } from './listener.ts';
import { log } from './log.ts';
import { secretReference } from './secret-reference.ts';
import { template, templateName } from './template.ts';
import { validation } from './validation.ts';
import { workflow } from './workflow.ts';
import { duration, entries, entryName, path } from './values.ts';

const authority = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}]*$/u, 'has no control characters')
    .describe('Name of the authority, for people.'),
  data: path.default('data').describe('Folder of the database, where that is SQLite.'),
});

const secrets = z
  .strictObject({
    lifetime: duration('1m', '90d')
      .prefault('1h')
      .describe('Life of a one-time secret when the command names none.'),
    maximumLifetime: duration('1m', '90d').prefault('7d').describe('The longest that a command may ask for.'),
    macKeys: z
      .array(
        z.strictObject({
          id: entryName.describe('Name of the key, kept beside each secret.'),
          key: secretReference.describe('The key: at least 32 random characters.'),
        }),
      )
      .min(1)
      .describe(
        'Keys under which one-time secrets are kept. The first is used for new secrets; the others until theirs have expired.',
      ),
  })
  .superRefine(({ lifetime, maximumLifetime, macKeys }, context) => {
    if (lifetime > maximumLifetime) {
      context.addIssue({
        code: 'custom',
        path: ['lifetime'],
        message: 'must not be longer than maximumLifetime',
      });
    }
    for (const [index, { id }] of macKeys.entries()) {
      if (macKeys.findIndex((key) => key.id === id) < index) {
        context.addIssue({
          code: 'custom',
          path: ['macKeys', index, 'id'],
          message: 'another key has this id',
        });
      }
    }
  });

const approvals = z.strictObject({
  lifetime: duration('1m', '90d').prefault('7d').describe('Held requests and approvals end after this.'),
  retryAfter: duration('1s', '1h')
    .prefault('30s')
    .describe(
      'The longest that a waiting client is told to wait before it asks again (EST: Retry-After of 202). It begins at 2 s and grows with the wait.',
    ),
});

const policy = z.strictObject({
  file: path
    .optional()
    .describe('Cedar policies instead of the built-in ones.')
    .meta({ otherwise: 'built-in policies' }),
  additional: z.array(path).default([]).describe('Cedar policies that are added.'),
});

/** sallyport.yaml. Its description, defaults and refusals; docs/configuration.md is generated from it. */
export const settings = z.strictObject({
  authority: authority.describe('The authority itself.'),
  database: database.prefault({}).describe('Where the state of the authority is kept.'),
  issuers: entries(issuer).describe('Issuing CAs.'),
  listeners: entries(listener).describe('Where the authority listens.'),
  templates: entries(template, templateName).describe(
    'Certificate profiles. The name is also the EST label.',
  ),
  deviceClasses: entries(deviceClass, deviceClassName).describe(
    'What a kind of device must prove, and what compensates where it can prove nothing.',
  ),
  identities: z
    .record(entryName, identity)
    .default({})
    .describe('Identities from elsewhere that may stand in for a secret at a first enrollment.'),
  attestation: attestation.prefault({}).describe('Whom evidence of hardware is believed.'),
  workflows: z
    .record(entryName, workflow)
    .default({})
    .describe('Systems outside that have a say in templates: an MDM that gives out challenges, or your own.'),
  validation: validation.prefault({}).describe('How control of a name is seen that is ordered by ACME.'),
  limits: limits.prefault({}).describe('Rate limits.'),
  secrets: secrets.describe('One-time enrollment secrets.'),
  approvals: approvals.prefault({}).describe('Operator approval.'),
  policy: policy.prefault({}).describe('Policies by which requests are judged.'),
  log: log.describe('The tamper-evident log.'),
});

/** As the file says, defaults filled in: names are still keys, paths still relative. */
export type Settings = z.output<typeof settings>;
