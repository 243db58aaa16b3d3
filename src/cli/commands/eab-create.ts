import { Command } from 'commander';
import type { ActResult } from '#admin';
import { directoryUrl } from '../directory-url.ts';
import { checkDuration } from '../duration-option.ts';
import { printable } from '../render/printable.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { trustFiles } from '../trust-files.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface CreateOptions {
  readonly device: string;
  readonly template: readonly string[];
  readonly name?: readonly string[];
  readonly certificates?: number;
  readonly approve?: boolean;
  readonly lifetime?: string;
}

export function eabCreate(run: Run): Command {
  return teach(new Command('create'), {
    summary: 'Create an external account key for a device and print it once',
    when:
      'When a device is about to make an ACME account: no account is made without such a key, each key makes one, and what the key says bounds the account for ' +
      'ever. --name gives it names (.example.org: every name below); without, it may order whatever its templates admit. With --approve its first certificates ' +
      'for these names wait for no operator. The key waits an hour to be used unless --lifetime says otherwise; it rests sealed and cannot be shown again.',
    examples: [
      'sallyport eab create --device web-1 --template web --name a.example.org .b.example.org --approve',
      'sallyport eab create --device web-1 --template web --certificates 5 --lifetime 15m --json',
    ],
    exits: [3, 4],
  })
    .requiredOption('--device <id>', 'the device whose account it will be')
    .requiredOption('--template <name...>', 'the templates it may order')
    .option('--name <name...>', 'a name or address it may order, or .example.org: all below')
    .option('--certificates <n>', 'sets of names with current certificates, at most', parseWholeNumber)
    .option('--approve', 'first certificates for these names need no other approval')
    .option('--lifetime <duration>', 'such as 15m, 2h or 3d (default: as configured)', checkDuration)
    .action(run(create));
}

async function create(session: Session, options: CreateOptions): Promise<void> {
  const { parseDuration } = await import('#config');
  const { device, template, name = null, certificates = null, approve = false, lifetime } = options;
  const created = await session.perform('createExternalAccountKey', {
    device,
    templates: [...template],
    names: name === null ? null : [...name],
    maximumCertificates: certificates,
    approve,
    lifetimeSeconds: lifetime === undefined ? null : parseDuration(lifetime),
  });
  const configuration = await session.configuration();
  const url = directoryUrl(configuration, created.templates);
  session.print(created, () => words(session, created, url, trustFiles(configuration).root));
}

function words(
  { paint, now }: Session,
  created: ActResult<'createExternalAccountKey'>,
  url: string | null,
  trust: string,
): string {
  const { keyId, hmacKey, device, templates, names, maximumCertificates, approved, expiresAt } = created;
  const what = names === null ? 'whatever they admit' : names.join(', ');
  const count = maximumCertificates === null ? '' : `, at most ${maximumCertificates} sets of names at once`;
  const approval = approved
    ? 'First certificates are approved with it.'
    : 'A first certificate for each set of names waits for an operator.';
  const shown = `\
External account key for device ${device}, templates ${templates.map(printable).join(', ')}: ${what}${count}.
${approval} It is shown this once:

  key id    ${paint.strong(keyId)}
  HMAC key  ${paint.strong(hmacKey)}

An account can be made with it until ${describeTime(expiresAt, now)}.
`;
  if (url === null) return shown;
  const domains = (names ?? []).filter((name) => !name.startsWith('.') && !/^[\d.]+$|:/.test(name));
  const asked = domains.length === 0 ? ['www.example.org'] : domains;
  return `${shown}
On the device, with certbot, for one:

  REQUESTS_CA_BUNDLE=${trust} certbot certonly --standalone --server ${url} \\
    --eab-kid ${keyId} --eab-hmac-key ${hmacKey} \\
    --agree-tos --register-unsafely-without-email ${asked.map((name) => `--domain '${name}'`).join(' ')}
`;
}
