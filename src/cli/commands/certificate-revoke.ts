import { Command } from 'commander';
import type { ActInput } from '#admin';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

type Reason = NonNullable<ActInput<'revokeCertificate'>['reason']>;

interface RevokeOptions {
  readonly reason?: Reason;
  readonly remark?: string;
}

export function certificateRevoke(run: Run): Command {
  return teach(new Command('revoke'), {
    summary: 'Revoke a certificate and issue a new CRL at once',
    when:
      'When the key may be known to someone else, or the device must not use the certificate any more. It is final. Suspend the device too, or it can enroll ' +
      'again with a new secret. Reasons (RFC 5280): unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn.',
    examples: ['sallyport certificate revoke 5F0C22A1 --reason keyCompromise --remark "laptop stolen"'],
    exits: [3, 4],
  })
    .argument('<certificate>', 'its serial number or SHA-256, in hex')
    .option('--reason <reason>', 'as the CRL will say (default: unspecified)')
    .option('--remark <text>', 'why, for the log')
    .action(run(revoke));
}

async function revoke(session: Session, id: string, { reason, remark }: RevokeOptions): Promise<void> {
  const revoked = await session.perform('revokeCertificate', { id, reason, remark: remark ?? null });
  session.print(revoked, () => {
    const crl = revoked.published
      ? 'The new CRL is published.'
      : 'The CRL will follow: issuing it failed just now and is tried again.';
    return `Revoked ${revoked.serialNumber} of device ${revoked.device}. ${crl}\n`;
  });
}
