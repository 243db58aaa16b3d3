import { Command } from 'commander';
import { readNamedFile } from '../files.ts';
import { printable } from '../render/printable.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface PinOptions {
  readonly certificate: string;
  readonly instead?: boolean;
}

export function machinePin(run: Run): Command {
  return teach(new Command('pin'), {
    summary: 'Let a machine prove itself by a client certificate',
    when:
      'When a machine can do TLS with a client certificate: then nothing that it sends can be used by who reads it. This very certificate counts, ' +
      'whoever issued it, until it expires; another one of the same key or names is another. --instead ends the others in the same act.',
    examples: [
      'sallyport machine pin mdm --certificate mdm.pem',
      'sallyport machine pin mdm --certificate mdm-2027.pem --instead',
    ],
    exits: [3, 4],
  })
    .argument('<name>', 'the machine')
    .requiredOption('--certificate <file>', 'its certificate, PEM')
    .option('--instead', 'its other certificates are none of its own any more')
    .action(run(pin));
}

async function pin(session: Session, name: string, options: PinOptions): Promise<void> {
  const file = await readNamedFile(session.path(options.certificate));
  const pinned = await session.perform('pinCertificate', {
    name,
    certificate: Buffer.from(file).toString('latin1'),
    instead: options.instead === true,
  });
  session.print(pinned, () => {
    const { certificate, subject, expiresAt } = pinned;
    return `Machine ${name} may prove itself by this certificate until ${describeTime(expiresAt, session.now)}:
  ${printable(subject)}
  SHA-256 ${certificate}
`;
  });
}
