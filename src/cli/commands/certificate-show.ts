import { Command } from 'commander';
import type { ActResult } from '#admin';
import { SallyportError } from '#errors';
import { formatFields, listed, shown } from '../render/fields.ts';
import { paintState } from '../render/paint.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function certificateShow(run: Run): Command {
  return teach(new Command('show'), {
    summary: 'Show a certificate, or print it in PEM',
    when: 'When a serial number or fingerprint turned up somewhere and you ask whose it is. --pem prints the certificate alone.',
    examples: [
      'sallyport certificate show 5F0C22A1',
      'sallyport certificate show 5F0C22A1 --pem | openssl x509 -noout -text',
    ],
    exits: [3, 4],
  })
    .argument('<certificate>', 'its serial number or SHA-256, in hex')
    .option('--pem', 'print it in PEM and nothing else')
    .action(run(show));
}

async function show(session: Session, id: string, { pem }: { readonly pem?: boolean }): Promise<void> {
  const certificate = await session.perform('showCertificate', { id });
  if (pem === true && certificate.pem === null) {
    throw new SallyportError('not-found', `certificate ${id} was erased with its device: its bytes are gone`);
  }
  session.print(certificate, () => (pem === true ? certificate.pem! : words(session, certificate)));
}

function words({ paint, now }: Session, certificate: ActResult<'showCertificate'>): string {
  const { revokedAt, revocationReason } = certificate;
  return formatFields([
    ['serial number', paint.strong(certificate.serialNumber)],
    ['SHA-256', certificate.sha256],
    ['state', paintState(certificate.state, paint)],
    [
      'revoked',
      revokedAt === null ? null : `${describeTime(revokedAt, now)}, ${revocationReason ?? 'unspecified'}`,
    ],
    ['device', shown(certificate.device)],
    ['template', shown(certificate.template)],
    ['issuer', shown(certificate.issuer)],
    ['subject', shown(certificate.subject)],
    ['names', listed(certificate.subjectAltName)],
    ['key', `${certificate.keyAlgorithm ?? 'erased'}, SHA-256 ${certificate.spki}`],
    ['from', describeTime(certificate.notBefore, now)],
    ['to', describeTime(certificate.notAfter, now)],
    ['renews', certificate.predecessor],
    ['log entry', String(certificate.logIndex)],
  ]);
}
