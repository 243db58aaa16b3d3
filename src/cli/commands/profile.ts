import { Argument, Command, Option } from 'commander';
import { SallyportError } from '#errors';
import { checkDuration } from '../duration-option.ts';
import {
  type Challenge,
  type DeviceService,
  type ProfileKind,
  profileKinds,
  type ScepService,
} from '../profile/profile.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { describeTime } from '../render/time.ts';
import { teach } from '../teach.ts';

interface ProfileOptions {
  readonly device?: string;
  readonly template: string;
  readonly listener?: string;
  readonly url?: string;
  readonly lifetime?: string;
  readonly wait: string;
  readonly format?: 'syncml' | 'table';
  readonly out?: string;
}

export function profileCommand(run: Run): Command {
  return teach(new Command('profile'), {
    summary: 'Write what a SCEP client is to be told, with a one-time secret',
    when:
      'When a device is about to enroll over SCEP: the address, the names that the template builds for it, the kind of its key, the CA to trust, and a new one-time ' +
      'secret as the challenge. Who has the profile can enroll as the device, once: --out writes it for its owner alone to read.\n' +
      'apple: a configuration profile (.mobileconfig), unsigned. windows: SyncML for the ClientCertificateInstall CSP; with --format table its values. intune: what to type ' +
      'there, for all devices and without a secret. strongswan, certmonger, sscep: a script for sh, to be run on the device.',
    examples: [
      'sallyport profile apple --device laptop-7 --template device --out laptop-7.mobileconfig',
      'sallyport profile windows --device laptop-7 --template device --url https://scep.example.com',
      'sallyport profile strongswan --device laptop-7 --template device --lifetime 15m --out enroll.sh',
      'sallyport profile intune --template device',
    ],
    exits: [3, 4],
  })
    .addArgument(new Argument('<kind>', 'of client').choices(profileKinds))
    .requiredOption('--template <name>', 'the template it is to get a certificate of')
    .option('--device <id>', 'the device it is for; not for intune, which has one profile for all')
    .option('--listener <name>', 'where it enrolls (default: the first that serves the template over SCEP)')
    .option('--url <url>', "where devices reach that listener (default: the listener's own address)")
    .option(
      '--lifetime <duration>',
      'of the secret, such as 15m or 3d (default: as configured)',
      checkDuration,
    )
    .option('--wait <duration>', 'how long it asks again while nobody has approved it', checkDuration, '1h')
    .addOption(new Option('--format <format>', 'of windows (default: syncml)').choices(['syncml', 'table']))
    .option('--out <file>', 'write it to this new file, which its owner alone can read')
    .action(run(profile));
}

async function profile(session: Session, kind: ProfileKind, options: ProfileOptions): Promise<void> {
  const { parseDuration } = await import('#config');
  const { readScepService } = await import('../profile/scep-service.ts');
  requireFitting(kind, options);
  const { template, listener, url } = options;
  const configuration = await session.configuration();
  const waitSeconds = parseDuration(options.wait);
  const service = await readScepService(configuration, { template, listener, url, waitSeconds });
  if (kind === 'intune') {
    const { renderIntuneValues } = await import('../profile/intune.ts');
    return deliver(session, options, service, async () => ({
      content: renderIntuneValues(service),
      secret: null,
    }));
  }
  const { serviceFor } = await import('../profile/scep-service.ts');
  const { device } = await session.perform('showDevice', { id: options.device! });
  const own = serviceFor(service, configuration, device);
  const render = await rendererOf(kind, options);
  // Whatever cannot be written is found out before there is a secret.
  render(own, { id: '', secret: '' });
  return deliver(session, options, service, async () => {
    const { secret, id, expiresAt } = await session.perform('createSecret', {
      device: own.device,
      template,
      lifetimeSeconds: options.lifetime === undefined ? null : parseDuration(options.lifetime),
    });
    return { content: render(own, { id, secret }), secret: { id, expiresAt } };
  });
}

function requireFitting(kind: ProfileKind, { device, format, lifetime }: ProfileOptions): void {
  if (kind === 'intune' && (device !== undefined || lifetime !== undefined)) {
    const words =
      'Intune has one profile for all devices and challenges of its own: leave out --device and --lifetime';
    throw new SallyportError('usage', words);
  }
  if (kind !== 'intune' && device === undefined) {
    throw new SallyportError('usage', 'say with --device which device the profile is for');
  }
  if (kind !== 'windows' && format !== undefined) {
    throw new SallyportError('usage', '--format is for windows: the others have one form');
  }
}

type Renderer = (service: DeviceService, challenge: Challenge) => string;

async function rendererOf(
  kind: Exclude<ProfileKind, 'intune'>,
  { format }: ProfileOptions,
): Promise<Renderer> {
  switch (kind) {
    case 'apple':
      return (await import('../profile/apple.ts')).renderAppleProfile;
    case 'windows': {
      const { renderSyncMl, renderTable } = await import('../profile/windows.ts');
      return format === 'table' ? renderTable : renderSyncMl;
    }
    case 'strongswan':
      return (await import('../profile/strongswan.ts')).renderStrongSwanScript;
    case 'certmonger':
      return (await import('../profile/certmonger.ts')).renderCertmongerScript;
    case 'sscep':
      return (await import('../profile/sscep.ts')).renderSscepScript;
  }
}

interface Made {
  readonly content: string;
  /** Without the secret itself, which is in the content. */
  readonly secret: { readonly id: string; readonly expiresAt: string } | null;
}

/** The file is there before the secret is: one that nobody could keep is not made. */
async function deliver(
  session: Session,
  { out, device }: ProfileOptions,
  { url, listener, template }: ScepService,
  make: () => Promise<Made>,
): Promise<void> {
  const about = { device: device ?? null, template: template.name, listener, url };
  if (out === undefined) {
    const { content, secret } = await make();
    session.print({ ...about, secret, profile: content }, () => content);
    return;
  }
  const { PrivateFile } = await import('../profile/private-file.ts');
  const file = await PrivateFile.create(session.path(out));
  let secret: Made['secret'] = null;
  await file.fill(async () => {
    const made = await make();
    ({ secret } = made);
    return made.content;
  });
  session.print({ ...about, secret, file: session.path(out) }, () => wroteWords(session, out, secret));
}

function wroteWords({ now }: Session, out: string, secret: Made['secret']): string {
  if (secret === null) return `Wrote ${out}.\n`;
  return `Wrote ${out}. The secret ${secret.id} in it can be used until ${describeTime(secret.expiresAt, now)}.\n`;
}
