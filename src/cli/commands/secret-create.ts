import { Command } from 'commander';
import type { ActResult } from '#admin';
import { checkDuration } from '../duration-option.ts';
import { enrollmentUrl } from '../enrollment-url.ts';
import { type AlternativeName, collectAlternativeName, collectAttribute, type NamedValue } from '../names.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { trustFiles } from '../trust-files.ts';

interface CreateOptions {
  readonly device: string;
  readonly template: string;
  readonly lifetime?: string;
  readonly expectSubject?: readonly NamedValue[];
  readonly expectSan?: readonly AlternativeName[];
  readonly nonce?: true;
}

export function secretCreate(run: Run): Command {
  return teach(new Command('create'), {
    summary: 'Create a one-time enrollment secret and print it once',
    when:
      'When a device is about to enroll: it is the password of its EST request, with the device id as user name. It works for this device and ' +
      'template, for one key, once, for an hour unless --lifetime says otherwise. It is kept only as a MAC, so it cannot be shown again: create another one. ' +
      '--expect-subject and --expect-san bind it to a request that asks for exactly these names.',
    examples: [
      'sallyport secret create --device laptop-7 --template device',
      'sallyport secret create --device laptop-7 --template device --lifetime 15m --json',
      'sallyport secret create --device laptop-7 --template device --expect-subject commonName=laptop-7',
    ],
    exits: [3, 4],
  })
    .requiredOption('--device <id>', 'the device it is for')
    .requiredOption('--template <name>', 'the template it is for')
    .option('--lifetime <duration>', 'such as 15m, 2h or 3d (default: as configured)', checkDuration)
    .option(
      '--expect-subject <type=value>',
      'subject attribute that the request must have; repeat in order',
      collectAttribute,
    )
    .option(
      '--expect-san <kind:value>',
      'alternative name (dns, email, uri, ip) that it must have; repeat',
      collectAlternativeName,
    )
    .option('--nonce', 'with a nonce that the evidence of the key must hold: for SCEP, which gives out none')
    .action(run(create));
}

async function create(session: Session, options: CreateOptions): Promise<void> {
  const { parseDuration } = await import('#config');
  const { device, template, lifetime, expectSubject, expectSan, nonce = false } = options;
  const created = await session.perform('createSecret', {
    device,
    template,
    lifetimeSeconds: lifetime === undefined ? null : parseDuration(lifetime),
    subject: expectSubject?.map(({ name, value }) => ({ type: name, value })) ?? null,
    subjectAltName: expectSan === undefined ? null : [...expectSan],
    nonce,
  });
  const configuration = await session.configuration();
  const url = enrollmentUrl(configuration, template);
  const trust = trustFiles(configuration).chain ?? trustFiles(configuration).root;
  session.print(created, () => words(session, created, url, trust));
}

function words(
  { paint, now }: Session,
  { secret, id, device, template, expiresAt, nonce }: ActResult<'createSecret'>,
  url: string | null,
  trust: string,
): string {
  const shown = `\
Secret ${id} for device ${device}, template ${template}. It is shown this once:

  ${paint.strong(secret)}

It can be used until ${describeTime(expiresAt, now)}.
${nonce === null ? '' : `\nThe evidence of its key must hold this nonce (base64url):\n\n  ${nonce}\n`}`;
  if (url === null) return shown;
  return `${shown}
On the device, with its request in request.der (curl asks for the secret):

  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout key.pem \\
    -subj /CN=${device} -outform DER -out request.der
  openssl base64 -in request.der | curl --fail-with-body --cacert ${trust} --user ${device} \\
    --header 'Content-Type: application/pkcs10' --data-binary @- \\
    ${url} \\
    | openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out certificate.pem
`;
}
