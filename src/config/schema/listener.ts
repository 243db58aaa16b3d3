import * as z from 'zod';
import { refusedKeys } from './refused-keys.ts';
import { secretReference } from './secret-reference.ts';
import { canonicalHostName, canonicalIpAddress } from '#x509';
import { cidr, distinct, duration, entryName, ipAddress, path, port } from './values.ts';

const bounds = {
  maximumBodyBytes: z
    .int()
    .min(1024)
    .max(16_777_216)
    .default(65_536)
    .describe('A longer request body is cut off and refused.'),
  maximumConnections: z
    .int()
    .min(1)
    .max(100_000)
    .default(2000)
    .describe(
      'Further connections are closed at once. Over the network one address (IPv6: one /64) has a quarter of them, at least 8.',
    ),
  requestTimeout: duration('1s', '10m')
    .prefault('30s')
    .describe('A request must have arrived whole by then.'),
};

/** A host or an address, in the one spelling in which it is certified. */
const listenerName = z
  .string()
  .transform((text, context) => {
    const name = canonicalHostName(text) ?? canonicalIpAddress(text);
    if (name !== null && name !== '0.0.0.0' && name !== '::') return name;
    context.addIssue(
      name === null
        ? 'must be a host name or an IP address, as clients reach this listener by it: no wildcard, no port, no underscore'
        : 'is every address and none: write the one that clients connect to',
    );
    return z.NEVER;
  })
  .meta({ form: 'host name or IP address' });

const issued = z.strictObject({
  issuer: entryName.describe(
    'Issuer that certifies the key. What is between it and its root is sent as well.',
  ),
  names: distinct(listenerName)
    .refine((names) => names.length <= 100, 'must be 100 names at most')
    .describe(
      'Names by which clients reach this listener, and by no other. Nobody proves them: this is a decision.',
    ),
});

const tls = z
  .strictObject({
    certificate: path
      .optional()
      .describe('Server certificate, PEM, which somebody else issues and replaces. Either this or `issued`.'),
    issued: issued
      .optional()
      .describe(
        'The authority issues the certificate of this key itself, for 90 days, and another one when 30 are left. Another key revokes those of the one before.',
      ),
    chain: z
      .array(path)
      .default([])
      .describe('Intermediate certificates to send after `certificate`, PEM files, nearest first.'),
    key: z
      .strictObject({
        file: path.describe('Private key, PKCS#8 PEM.'),
        passphrase: secretReference.optional().describe('Passphrase of the key, where it is encrypted.'),
      })
      .describe('Private key of the server certificate. Of several nodes each has its own, or all have one.'),
    minimum: z
      .enum(['TLSv1.3', 'TLSv1.2'])
      .default('TLSv1.3')
      .describe('TLS floor. TLSv1.2 only for clients that can do no better; strongSwan needs it by default.'),
  })
  .superRefine(({ certificate, issued: own, chain }, context) => {
    const refuse = (key: string[], message: string) =>
      context.addIssue({ code: 'custom', path: key, message });
    if (own === undefined) {
      if (certificate === undefined) {
        refuse([], 'needs `certificate`, a PEM file, or `issued`: { issuer, names }');
      }
      return;
    }
    if (certificate !== undefined) {
      refuse(['issued'], 'stands beside `certificate`: a listener has one of the two');
    }
    if (chain.length > 0) {
      refuse(['chain'], 'goes with `certificate` alone: of what is issued the issuer is known');
    }
  });

/** A default among the templates beside it. */
function demandListedDefault(
  { templates, defaultTemplate }: { templates: string[]; defaultTemplate?: string | undefined },
  context: z.RefinementCtx,
): void {
  if (defaultTemplate === undefined || templates.includes(defaultTemplate)) return;
  context.addIssue({
    code: 'custom',
    path: ['defaultTemplate'],
    message: 'must be one of the templates listed beside it',
  });
}

const est = z
  .strictObject({
    templates: distinct(entryName).describe(
      'Templates served; each is a label: `/.well-known/est/<template>/simpleenroll`.',
    ),
    defaultTemplate: entryName
      .optional()
      .describe('Template of the paths without a label. Absent: such requests are refused.'),
  })
  .superRefine(demandListedDefault);

const scep = z
  .strictObject({
    templates: distinct(entryName).describe(
      'Templates served, all of one issuer or of several that have an RA; each has an address: `/scep/<template>`, whatever follows it.',
    ),
    defaultTemplate: entryName
      .optional()
      .describe(
        'Template of every other address, such as `/certsrv/mscep/mscep.dll` or `/cgi-bin/pkiclient.exe`, and of `/scep/` with a name that is not listed. Absent: such requests are refused.',
      ),
    caCertificates: z
      .enum(['path', 'issuer'])
      .default('path')
      .describe(
        'What GetCACert gives beside the certificate of the RA: all up to the root, which strongSwan wants, or the issuing CA alone, for Intune, which is said to take a wrong one of several for the CA.',
      ),
  })
  .superRefine(demandListedDefault);

const acme = z
  .strictObject({
    templates: distinct(entryName).describe(
      'Templates served; each has a directory: `/acme/<template>/directory`. All of them are profiles of `/acme/directory`.',
    ),
    defaultTemplate: entryName
      .optional()
      .describe('Template of an order that names no profile at `/acme/directory`. Absent: it is refused.'),
  })
  .superRefine(demandListedDefault);

const attestation = z.strictObject({
  templates: distinct(entryName).describe(
    'Templates served, with `authentication: [endorsement]`; step is given `/attestation/<template>`.',
  ),
});

const protocols = z
  .strictObject({
    est: est.optional().describe('EST (RFC 7030).'),
    scep: scep.optional().describe('SCEP (RFC 8894).'),
    acme: acme.optional().describe('ACME (RFC 8555).'),
    attestation: attestation
      .optional()
      .describe('Certificates for attestation keys of TPMs, as clients of step ask for them.'),
  })
  .refine((served) => Object.values(served).some((protocol) => protocol !== undefined), {
    error: 'an enroll listener serves at least one protocol: est, scep, acme or attestation',
  });

const publicListener = z
  .strictObject({
    class: z
      .literal('public')
      .describe('CRLs and CA certificates over plain HTTP; no secret ever passes here.'),
    address: ipAddress.describe('Address to listen on. 0.0.0.0 or :: for all.'),
    port: port.describe('Port; 0 lets the system choose.'),
    sources: distinct(cidr).default(['0.0.0.0/0', '::/0']).describe('Who may connect.'),
    ...bounds,
  })
  .describe('Revocation lists and CA certificates for everyone.');

const enrollListener = z
  .strictObject({
    class: z.literal('enroll').describe('Enrollment protocols over TLS.'),
    address: ipAddress.describe('Address to listen on. 0.0.0.0 or :: for all.'),
    port: port.describe('Port; 0 lets the system choose.'),
    tls: tls.describe('TLS of this listener.'),
    sources: distinct(cidr).describe('Networks that devices enroll from. No default: this is a decision.'),
    management: z
      .strictObject({
        certificates: z
          .array(path)
          .min(1)
          .max(64)
          .describe(
            'PEM files: the CAs of the client certificates of management clients, or such certificates themselves.',
          ),
      })
      .optional()
      .describe(
        'Takes management clients only, an MDM that asks for its devices for one: the TLS connection must be theirs. With SCEP alone, since EST has the client certificate for the device.',
      )
      .meta({ otherwise: 'whoever reaches it' }),
    protocols: protocols.describe('What this listener serves; anything else is refused.'),
    ...bounds,
  })
  .superRefine(({ management, protocols: { est: served } }, context) => {
    if (management === undefined || served === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['management'],
      message: "goes with SCEP alone: in EST the client certificate is the device's",
    });
  })
  .describe('Where devices enroll.');

const httpListener = z
  .strictObject({
    class: z
      .literal('enroll-http')
      .describe('SCEP over plain HTTP: its messages are signed and encrypted by themselves.'),
    address: ipAddress.describe('Address to listen on. 0.0.0.0 or :: for all.'),
    port: port.describe('Port; 0 lets the system choose.'),
    sources: distinct(cidr).describe('Networks that devices enroll from. No default: this is a decision.'),
    protocols: z
      .strictObject({ scep: scep.describe('SCEP (RFC 8894).') })
      .describe('What this listener serves; anything else is refused.'),
    ...bounds,
  })
  .describe('Where devices enroll that speak SCEP and no TLS.');

const hook = {
  column: z
    .enum(['serialNumber', 'id'])
    .describe('Column of the inventory in which the device is looked for. No default: this is a decision.'),
  lifetime: duration('1m', '90d').prefault('1h').describe('Life of a secret that is created so.'),
};

const jamf = z
  .strictObject({
    experimental: z
      .literal(true)
      .describe('What Jamf Pro sends with this event is not established; say so that you know.'),
    device: z
      .strictObject({
        column: hook.column.describe(
          'serialNumber: that of the event. id: its UDID, where devices are named so.',
        ),
      })
      .describe('How the event names its device.'),
    lifetime: hook.lifetime,
  })
  .describe('The webhook SCEPChallenge of Jamf Pro at `/v1/hooks/jamf/<template>`.');

const radius = z
  .strictObject({
    device: z
      .strictObject({
        attribute: z
          .enum(['User-Name', 'Calling-Station-Id'])
          .describe('Attribute of the RADIUS request that names the device, as it is written there.'),
        column: hook.column,
      })
      .describe('How a request names its device.'),
    lifetime: hook.lifetime,
  })
  .describe('rlm_rest of FreeRADIUS at `/v1/hooks/radius/<template>`.');

const ndes = z
  .strictObject({
    template: entryName.describe('Template that the secrets are for.'),
    lifetime: duration('1m', '90d').prefault('1h').describe('Life of a secret that is created so.'),
    maximumLive: z
      .int()
      .min(1)
      .max(1000)
      .default(5)
      .describe(
        'Secrets of one machine that nobody has used: with so many the page says that its cache is full.',
      ),
  })
  .describe('The page of NDES at `/certsrv/mscep_admin`: secrets for no device until one brings it.');

const apiListener = z
  .strictObject({
    class: z
      .literal('api')
      .describe(
        'The API of machines, over TLS: MDMs, NACs and scripts that create secrets. No operator act is here.',
      ),
    address: ipAddress.describe('Address to listen on. 0.0.0.0 or :: for all.'),
    port: port.describe('Port; 0 lets the system choose.'),
    tls: tls.describe('TLS of this listener.'),
    sources: distinct(cidr).describe('Networks that machines come from. No default: this is a decision.'),
    clients: z
      .enum(['asked', 'required'])
      .default('asked')
      .describe(
        'Client certificates. asked: a machine may prove itself by one that is pinned, or by its token. required: the connection of who sends none ends before any request is read.',
      ),
    jamf: jamf.optional(),
    radius: radius.optional(),
    ndes: ndes.optional(),
    ...bounds,
  })
  .describe('Where machines ask for secrets (docs/api.md). There is none until it is configured.');

const adminListener = z
  .strictObject({
    class: z.literal('admin').describe('The operator commands.'),
    socket: path.describe('Unix socket, at most 107 bytes as an absolute path.'),
    ...bounds,
  })
  .describe('Where the operator commands reach the running authority. Exactly one.');

export const listener = z.discriminatedUnion('class', [
  enrollListener,
  httpListener,
  publicListener,
  apiListener,
  adminListener,
]);

const socketOnly = 'an admin listener is a Unix socket, never an address: write `socket: run/admin.sock`';
refusedKeys.add(adminListener, {
  reasons: {
    address: socketOnly,
    port: socketOnly,
    sources: socketOnly,
    tls: socketOnly,
    protocols: 'an admin listener serves no enrollment protocol',
  },
});
refusedKeys.add(publicListener, {
  reasons: {
    tls: 'a public listener is plain HTTP: what it serves is signed, and fetching it must not need TLS (RFC 5280 section 8)',
    protocols: 'a public listener serves no enrollment protocol: make it of class enroll',
    socket: 'only an admin listener is a socket',
  },
});
refusedKeys.add(apiListener, {
  reasons: {
    protocols: 'a listener of class api serves no enrollment protocol: make another one of class enroll',
    socket: 'only an admin listener is a socket',
  },
});
refusedKeys.add(enrollListener, { reasons: { socket: 'only an admin listener is a socket' } });
refusedKeys.add(httpListener, {
  reasons: {
    tls: 'a listener of class enroll-http is plain HTTP: make it of class enroll',
    socket: 'only an admin listener is a socket',
  },
});
