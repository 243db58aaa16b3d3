import * as z from 'zod';
import { cidr, distinct, duration } from './values.ts';

/** Orders of ACME. Nothing is connected to that is not in `networks`, whatever a client's DNS says. */
export const acme = z.strictObject({
  challenges: distinct(z.enum(['http-01', 'dns-01', 'tls-alpn-01', 'device-attest-01'])).describe(
    'Challenges offered for each name. A wildcard has dns-01 alone, an IP address the two others. device-attest-01 stands alone: by it devices are ordered that attest their hardware, and what their certificates name is `subject` and `subjectAltName`.',
  ),
  externalAccountKey: z
    .enum(['required', 'optional'])
    .default('required')
    .describe(
      'optional, with device-attest-01: an account needs no external account key (RFC 8555 section 7.3.4), which clients of Apple and of step have none of. Whose it is, evidence says: of a device whose `id` or `serialNumber` it names.',
    ),
  embedIdentifier: z
    .boolean()
    .default(false)
    .describe(
      'With device-attest-01: subjectAltName names the device as it was ordered, in the form in which the evidence says it: PermanentIdentifier (RFC 4043) or HardwareModuleName (RFC 4108). Whoever sees the certificate reads it.',
    ),
  networks: distinct(cidr, 0)
    .default([])
    .describe(
      'Networks that http-01 and tls-alpn-01 may connect to. Loopback must be listed as such; link-local addresses and those of cloud metadata are never connected to.',
    ),
  caa: z
    .string()
    .regex(/^[a-z0-9.-]{1,253}$/, 'must be a domain name')
    .optional()
    .describe('Our name in CAA records (RFC 8659): a name whose records list others is refused.')
    .meta({ otherwise: 'CAA records are not looked at' }),
  orderLifetime: duration('5m', '30d')
    .prefault('7d')
    .describe('An order that has no certificate by then is over; one that waits for an operator included.'),
  authorizationLifetime: duration('1m', '90d')
    .prefault('1h')
    .describe('How long the proof of a name counts, for later orders of the same account too.'),
});

/** What proves nothing without the other. */
export function demandOrders(
  settings: {
    authentication: string[];
    keyProtection: string;
    acme?: z.output<typeof acme> | undefined;
    subjectAltName: unknown[];
    request: { subjectAltName: unknown[] };
  },
  context: z.RefinementCtx,
): void {
  const takesAccounts = settings.authentication.includes('account');
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  if (takesAccounts !== (settings.acme !== undefined)) {
    problem(
      [settings.acme === undefined ? 'authentication' : 'acme'],
      settings.acme === undefined ? 'account needs acme beside it' : 'needs account in authentication',
    );
  }
  if (settings.acme === undefined) return;
  if (settings.acme.challenges.includes('device-attest-01')) return demandDevices(settings, problem);
  if (settings.acme.externalAccountKey === 'optional') {
    problem(
      ['acme', 'externalAccountKey'],
      'must be required without device-attest-01: nothing else would say whose the account is',
    );
  }
  if (settings.acme.embedIdentifier) {
    problem(
      ['acme', 'embedIdentifier'],
      'must be false without device-attest-01: names are in the certificate anyway',
    );
  }
  // RFC 8555 section 7.4: the names of the certificate are those that were ordered, and proven.
  if (settings.subjectAltName.length > 0) {
    problem(['subjectAltName'], 'an ACME certificate has the names that were ordered, and no others');
  }
  if (settings.request.subjectAltName.length === 0) {
    problem(['acme'], 'needs request.subjectAltName, which says what names may be ordered');
  }
  if (settings.acme.networks.length === 0 && settings.acme.challenges.some((each) => each !== 'dns-01')) {
    problem(['acme', 'challenges'], 'http-01 and tls-alpn-01 need networks, which they may connect to');
  }
  if (settings.acme.caa !== undefined && settings.acme.authorizationLifetime > 8 * 3600) {
    // RFC 8659 leaves it to the CA; the CA/Browser Forum gives a record that was looked at eight hours.
    problem(['acme', 'authorizationLifetime'], 'must be at most 8h where CAA records are looked at');
  }
}

/** Beside another challenge, who has a name would need no hardware; and evidence that nobody demands proves nothing. */
function demandDevices(
  settings: Parameters<typeof demandOrders>[0],
  problem: (path: (string | number)[], message: string) => void,
): void {
  if (settings.acme!.challenges.length > 1) {
    problem(
      ['acme', 'challenges'],
      'device-attest-01 stands alone: another challenge would need no hardware',
    );
  }
  if (settings.request.subjectAltName.length > 0) {
    problem(['request', 'subjectAltName'], 'who orders by device-attest-01 chooses no names');
  }
  if (settings.keyProtection !== 'hardware') {
    problem(['keyProtection'], 'must be hardware where devices are ordered by device-attest-01');
  }
}
