import * as z from 'zod';
import { classEvidence } from './evidence.ts';
import { distinct, duration, entryName } from './values.ts';

/** Facts say `unknown` before a device is known, so no class can be called that. */
export const deviceClassName = entryName.refine(
  (name) => name !== 'unknown',
  '"unknown" means that no device is known yet',
);

export const deviceClass = z.strictObject({
  attestation: z
    .enum(['none', 'required'])
    .describe(
      'required: without verified evidence every request is refused. No default: this is what the kind of device can prove.',
    ),
  evidence: classEvidence
    .prefault({})
    .describe('What evidence counts for such devices, by its format. Of another format none does.'),
  approval: z
    .enum(['policy', 'always'])
    .default('policy')
    .describe(
      'always: each enrollment waits for an operator, or is approved beforehand. policy: as the policies say.',
    ),
  templates: distinct(entryName)
    .optional()
    .describe('Templates that such devices may have.')
    .meta({ otherwise: 'any' }),
  listeners: distinct(entryName)
    .optional()
    .describe('Enroll listeners that such devices may use.')
    .meta({ otherwise: 'any' }),
  maximumValidity: duration('5m', '3653d')
    .optional()
    .describe('Upper bound on the life of their certificates.')
    .meta({ otherwise: "the template's" }),
});
