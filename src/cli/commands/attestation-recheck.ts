import { Command } from 'commander';
import type { FallenCertificate, Recheck } from '../attestation/recheck.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../render/printable.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function attestationRecheck(run: Run): Command {
  return teach(new Command('recheck'), {
    summary: 'Which live certificates rest on evidence that would be refused today',
    when:
      'When a root, a floor or a list of revoked keys has changed: before a reload to see who would fall, after it to act. It works on the files, with or without a running authority, and asks the evidence of each ' +
      "live certificate's entry again by what the configuration says now; dates are those of its issuance. With --revoke the running authority revokes what fell, one by one.",
    examples: ['sallyport attestation recheck', 'sallyport attestation recheck --revoke --json'],
    exits: [1, 3, 4],
  })
    .option('--revoke', 'revoke them: privilegeWithdrawn')
    .action(run(recheckCommand));
}

async function recheckCommand(session: Session, { revoke = false }: { revoke?: boolean }): Promise<ExitCode> {
  const { loadStatusLists, loadTrustAnchors, readDatabase } = await import('#authority');
  const { recheck } = await import('../attestation/recheck.ts');
  const { readCertificates } = await import('../trust/certificate-file.ts');
  const configuration = await session.configuration();
  const byName = <Item extends { readonly name: string }>(items: readonly Item[]) =>
    Object.fromEntries(items.map((item) => [item.name, item]));
  const anchors = await loadTrustAnchors(configuration);
  const references = {
    deviceClasses: byName(configuration.deviceClasses),
    templates: byName(configuration.templates),
    attestation: { roots: byName(anchors) },
  };
  const statusLists = await loadStatusLists(configuration, anchors, {
    fault: (error) => {
      throw error;
    },
  });
  const issuers = await Promise.all(
    configuration.issuers.map(async ({ certificate }) => (await readCertificates(certificate))[0]!),
  );
  const storage = await readDatabase(configuration, session.terminal.environment);
  let found: Recheck;
  try {
    found = await recheck(storage, { references, statusLists, issuers }, session.terminal.now());
  } finally {
    await storage.close();
  }
  if (revoke) await revokeAll(session, found.fallen);
  session.print({ ok: found.fallen.length === 0, ...found, revoked: revoke }, () =>
    words(session, found, revoke),
  );
  return found.fallen.length === 0 || revoke ? exitCodes.ok : exitCodes.failed;
}

async function revokeAll(session: Session, fallen: readonly FallenCertificate[]): Promise<void> {
  for (const { sha256, problems } of fallen) {
    const remark = `its evidence does not hold any more: ${problems.map(({ check }) => check).join(', ')}`;
    await session.perform('revokeCertificate', { id: sha256, reason: 'privilegeWithdrawn', remark });
  }
}

function words({ paint }: Session, { attested, erased, fallen }: Recheck, revoked: boolean): string {
  const lines = fallen.map(
    ({ serialNumber, device, template, problems }) =>
      `${serialNumber}  ${printable(device)}  ${template}  ${problems.map(({ check, detail }) => `${check}: ${printable(detail)}`).join('; ')}\n`,
  );
  const gone = erased === 0 ? '' : ` Of ${erased} the evidence was erased, and nobody can say.`;
  const counted = `${attested} live certificates rest on evidence.${gone}\n`;
  const end =
    fallen.length === 0
      ? paint.good('All of it holds.')
      : paint.bad(`${fallen.length} ${revoked ? 'were revoked' : 'would be refused today'}.`);
  return `${lines.join('')}${counted}${end}\n`;
}
