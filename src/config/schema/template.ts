import * as z from 'zod';
import { keyAlgorithms } from '#keys';
import { attributeTypes } from '#x509';
import { quote } from '../problem.ts';
import { didYouMean } from '../suggestion.ts';
import { acme, demandOrders } from './acme.ts';
import { demandAttestationKeys } from './attestation-key.ts';
import { extendedKeyUsage } from './extended-key-usage.ts';
import { keyAlgorithmProblem, keyUsageProblem, keyUsages } from './key-usage.ts';
import {
  alternativeNameProblem,
  nameKinds,
  patternProblem,
  rangeProblem,
  type NameKind,
} from './name-pattern.ts';
import { refusedKeys } from './refused-keys.ts';
import { secretReference } from './secret-reference.ts';
import { templateExtensions } from './template-extension.ts';
import { distinct, duration, entryName, oid, rate } from './values.ts';

/** RFC 7030 section 3.2.2: a label MUST NOT be one of the operation path segments. */
const estOperations = [
  'cacerts',
  'simpleenroll',
  'simplereenroll',
  'csrattrs',
  'serverkeygen',
  'fullcmc',
  'nonce',
];

/** A template's name is also its EST label; facts say `none` where a request names no template. */
export const templateName = entryName.superRefine((name, context) => {
  if (estOperations.includes(name)) {
    context.addIssue(
      `"${name}" is an EST operation, so it cannot be a template's label (RFC 7030 section 3.2.2)`,
    );
  }
  if (name === 'none') context.addIssue('"none" means that no template is named');
});

const attributeNames = Object.keys(attributeTypes);
const attributeType = z
  .string()
  .superRefine((name, context) => {
    if (!attributeNames.includes(name)) {
      context.addIssue(`${quote(name)} is not a subject attribute${didYouMean(name, attributeNames)}`);
    }
  })
  .meta({ form: 'attribute' });

const namePattern = z
  .string()
  .superRefine((pattern, context) => {
    const problem = patternProblem(pattern);
    if (problem !== null) context.addIssue(problem);
  })
  .meta({ form: 'name pattern' });

const subjectAttribute = z
  .record(attributeType, namePattern)
  .transform((attribute, context) => {
    const [entry, ...others] = Object.entries(attribute);
    if (entry !== undefined && others.length === 0) return { type: entry[0], value: entry[1] };
    context.addIssue('one attribute for each list entry, such as `- commonName: "{device.id}"`');
    return z.NEVER;
  })
  .meta({ form: 'map of one attribute to its pattern' });

/** `- dns: "…"` with further keys: exactly one kind of name. */
function ofOneKind<Shape extends z.core.$ZodShape>(valueForm: string, meaning: string, shape: Shape) {
  const value = z.string().meta({ form: valueForm }).optional();
  return z.strictObject({
    dns: value.describe(`${meaning} a DNS name.`),
    uri: value.describe(`${meaning} a URI.`),
    email: value.describe(`${meaning} a mail address.`),
    ip: value.describe(`${meaning} an IP address.`),
    ...shape,
  });
}

/** The one kind that is set, after the problem of its value was raised. */
function theOneKind(
  entry: Partial<Record<NameKind, string | undefined>>,
  problemOf: (kind: NameKind, value: string) => string | null,
  context: z.RefinementCtx,
): { kind: NameKind; value: string } {
  const [kind, ...others] = nameKinds.filter((candidate) => entry[candidate] !== undefined);
  const value = kind === undefined ? undefined : entry[kind];
  if (kind === undefined || value === undefined || others.length > 0) {
    context.addIssue('each list entry names one of dns, uri, email and ip');
    return z.NEVER;
  }
  const problem = problemOf(kind, value);
  if (problem !== null) context.addIssue({ code: 'custom', path: [kind], message: problem });
  return { kind, value };
}

const alternativeName = ofOneKind('name pattern', 'Builds', {
  optional: z
    .boolean()
    .default(false)
    .describe('Left out when the device has no such identifier; otherwise the request is refused then.'),
}).transform((entry, context) => ({
  ...theOneKind(entry, alternativeNameProblem, context),
  optional: entry.optional,
}));

const requestedName = ofOneKind('range', 'Range of', {
  maximum: z.int().min(1).max(100).default(1).describe('How many such names a request may bring.'),
  wildcard: z
    .boolean()
    .default(false)
    .describe('dns: a name may begin with `*.`, which stands for every name of that level.'),
}).transform((entry, context) => {
  const { kind, value } = theOneKind(entry, rangeProblem, context);
  if (entry.wildcard && kind !== 'dns') {
    context.addIssue({ code: 'custom', path: ['wildcard'], message: 'only DNS names have wildcards' });
  }
  return { kind, within: value, maximum: entry.maximum, wildcard: entry.wildcard };
});

const request = z.strictObject({
  ignoredSubjectAttributes: distinct(attributeType, 0)
    .default([
      'countryName',
      'stateOrProvinceName',
      'localityName',
      'organizationName',
      'organizationalUnitName',
    ])
    .describe('Subject attributes that a request may carry in vain: neither copied nor objected to.'),
  subjectAltName: z
    .array(requestedName)
    .max(32)
    .prefault([])
    .describe(
      'Names that a request may choose itself: at or below a DNS or mail domain, under the beginning of a URI, in a CIDR.',
    ),
});

const keyUsage = z.enum(keyUsages, {
  error: ({ input }) =>
    input === 'keyCertSign' || input === 'cRLSign'
      ? `${input} makes a CA of a device; no template may have it`
      : undefined,
});

const renewalWindow = z
  .union([z.literal('always'), duration('1s', '3653d')], {
    error: ({ input }) => (input === undefined ? undefined : 'must be a duration such as 30d, or always'),
  })
  .meta({ form: 'duration, `always`' });

const renewal = z.strictObject({
  key: z
    .enum(['any', 'same', 'new'])
    .default('any')
    .describe('same: the key that is certified already. new: another one. any: as the device likes.'),
  omittedNames: z
    .enum(['refused', 'kept'])
    .default('refused')
    .describe(
      'A renewal without subject or subjectAltName: refused (RFC 7030 section 4.2.2 wants them identical), or those of the certificate are kept.',
    ),
  changeSubjectName: z
    .boolean()
    .default(false)
    .describe(
      'A renewal may ask for the names that the inventory gives now, by ChangeSubjectName (RFC 6402 section 2.8).',
    ),
});

const requestedDevice = z.strictObject({
  column: z.enum(['id', 'serialNumber']).default('id').describe('Column of the inventory.'),
  from: z
    .enum(['commonName', 'serialNumber'])
    .default('commonName')
    .describe('Attribute of the subject; it must stand there once.'),
});

const staticChallenge = z.strictObject({
  challenge: secretReference.describe('The password: at least 16 characters.'),
  limit: rate
    .prefault({ burst: 5, count: 20, period: '1d' })
    .describe('Enrollments by it, of the whole template.'),
});

/** A certificate profile as the file has it; its name is the key above it. */
export const template = z
  .strictObject({
    issuer: entryName.describe('Issuer that signs.'),
    subject: z.array(subjectAttribute).max(16).prefault([]).describe('Subject, in order.'),
    subjectAltName: z.array(alternativeName).max(32).prefault([]).describe('Alternative names.'),
    keyAlgorithms: distinct(z.enum(keyAlgorithms)).describe('Keys that may be certified.'),
    keyProtection: z
      .enum(['declared', 'hardware'])
      .default('declared')
      .describe('hardware: attestation proves it. declared: nobody proves it.'),
    keyUsage: distinct(keyUsage)
      .default(['digitalSignature'])
      .describe('Key usage (RFC 5280 section 4.2.1.3).'),
    extendedKeyUsage: distinct(extendedKeyUsage).describe('Extended key usage (RFC 5280 section 4.2.1.12).'),
    validity: duration('5m', '3653d').describe(
      'Life of a certificate, never past its issuer. At most ten years.',
    ),
    renewalWindow: renewalWindow
      .optional()
      .describe('Renewal is open for this long before the end.')
      .meta({ otherwise: 'a third of the validity' }),
    authentication: distinct(
      z.enum([
        'secret',
        'workflow',
        'dangerousStaticChallenge',
        'attestation',
        'idevid',
        'mdm',
        'ra',
        'account',
        'endorsement',
      ]),
      1,
      'a template without any authentication layer is refused: list secret, workflow, attestation, idevid, mdm, ra, account or endorsement',
    ).describe(
      'Layers that authenticate a first enrollment. workflow: a challenge that the workflows of the template answer for, and no secret of ours. dangerousStaticChallenge: one password for all devices. account: an ACME account, which needs `acme`. endorsement: the TPM of an endorsement key, for attestation keys alone.',
    ),
    workflows: distinct(entryName, 0)
      .default([])
      .describe('All of these must agree to every request, at renewals too, and to the delivery.'),
    requestedDevice: requestedDevice
      .prefault({})
      .describe('How a request names its device where its credential names none.'),
    dangerousStaticChallenge: staticChallenge
      .optional()
      .describe(
        'One password for all devices of the template: who reads it off one device can ask as any other. A finding at each start.',
      ),
    renewal: renewal.prefault({}).describe('What a renewal may change.'),
    channelBinding: z
      .enum(['optional', 'required'])
      .default('optional')
      .describe(
        'required: every request holds tls-unique (TLS 1.2) or tls-exporter (TLS 1.3) of its connection as challengePassword. optional: where it holds one, it is verified.',
      ),
    serverKeygen: z
      .enum(keyAlgorithms)
      .optional()
      .describe('The authority makes such a key for a device that asks for it (EST serverkeygen).')
      .meta({ otherwise: 'no key is made' }),
    legacyAlgorithms: distinct(entryName, 0)
      .default([])
      .describe(
        'Classes of devices that may sign their messages with SHA-1 and encrypt them with 3DES (SCEP). A finding at each start.',
      ),
    acme: acme
      .optional()
      .describe('How names are proven where they are ordered by ACME.')
      .meta({ otherwise: 'no order is taken' }),
    policies: distinct(oid, 0).default([]).describe('Certificate policies.'),
    extensions: templateExtensions
      .default([])
      .describe('Further extensions, each with the value that every certificate gets.'),
    request: request.prefault({}).describe('What a request may ask for beyond what the template builds.'),
  })
  .superRefine((settings, context) => {
    const { subject, subjectAltName, keyUsage: usages, keyAlgorithms: algorithms } = settings;
    demandChallengers(settings, context);
    demandOrders(settings, context);
    demandAttestationKeys(settings, context);
    // RFC 5280 section 4.1.2.6: an empty subject needs a subjectAltName.
    const ordered =
      settings.authentication.every((layer) => layer === 'account') &&
      settings.acme?.challenges.includes('device-attest-01') !== true;
    const activated = settings.authentication.includes('endorsement');
    if (subject.length === 0 && !ordered && !activated && !subjectAltName.some(({ optional }) => !optional)) {
      context.addIssue('a template needs a subject, or a subjectAltName that is not optional');
    }
    if (settings.serverKeygen !== undefined && !algorithms.includes(settings.serverKeygen)) {
      context.addIssue({
        code: 'custom',
        path: ['serverKeygen'],
        message: 'is not one of keyAlgorithms',
      });
    }
    for (const [index, usage] of usages.entries()) {
      const message = keyUsageProblem(usage, usages, algorithms);
      if (message !== null) context.addIssue({ code: 'custom', path: ['keyUsage', index], message });
    }
    for (const [index, algorithm] of algorithms.entries()) {
      const message = keyAlgorithmProblem(algorithm, usages);
      if (message !== null) context.addIssue({ code: 'custom', path: ['keyAlgorithms', index], message });
    }
  });

/** Each way to answer for a challenge has its settings, and whose a password is must be plain. */
function demandChallengers(
  {
    authentication,
    workflows,
    dangerousStaticChallenge,
  }: { authentication: string[]; workflows: string[]; dangerousStaticChallenge?: unknown },
  context: z.RefinementCtx,
): void {
  const lists = (layer: string) => authentication.includes(layer);
  const problem = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  if (lists('workflow') && workflows.length === 0) {
    problem('authentication', 'workflow needs workflows beside it, which answer for the challenge');
  }
  if (lists('workflow') && lists('secret')) {
    problem('authentication', 'lists secret and workflow: a password would be either; make two templates');
  }
  if (lists('dangerousStaticChallenge') !== (dangerousStaticChallenge !== undefined)) {
    const message = 'stands both here and in authentication, or in neither';
    problem(
      dangerousStaticChallenge === undefined ? 'authentication' : 'dangerousStaticChallenge',
      `dangerousStaticChallenge ${message}`,
    );
  }
}

refusedKeys.add(template, {
  reasons: {
    basicConstraints: 'no template makes a CA',
  },
});
