import { Command } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { formatFields } from '../render/fields.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function backupCommand(run: Run): Command {
  return teach(new Command('backup'), {
    summary: 'Write a backup of the database, while the authority serves or not',
    when:
      'Every night, and before an upgrade. It is one SQLite file, whichever database the authority has, and a manifest beside it (.json) that the log key signs: ' +
      'all rows of one moment, none of the keys and nothing of the configuration, which you keep apart. Nobody waits for it. Take it off the machine. ' +
      '`sallyport restore --check` tells whether it could be restored.',
    examples: ['sallyport backup --to .', 'sallyport backup --to ./before-upgrade.db'],
    exits: [3, 4, 5],
  })
    .requiredOption('--to <path>', 'a folder, in which the backup is named by its time, or the file itself')
    .action(run(backup));
}

async function backup(session: Session, { to }: { readonly to: string }): Promise<void> {
  const { environment, random } = session.terminal;
  const { backUpDatabase, loadLogSigner, readPublished } = await import('#authority');
  const { chooseFile, writeBackup } = await import('../backup/write-backup.ts');
  const { manifestOf } = await import('../backup/files.ts');
  const configuration = await session.configuration(environment);
  const file = await chooseFile(session.path(to), session.now);
  const manifest = await writeBackup(file, {
    copyRows: (partial) => backUpDatabase(configuration, environment, partial),
    signer: await loadLogSigner(configuration, environment),
    published: await readPublished(configuration),
    now: session.now,
    random,
    program: packageJson.version,
  });
  const { origin, size, root, time } = manifest;
  const report = { file, manifest: manifestOf(file), origin, size, root, time, ...manifest.file };
  session.print(report, () => {
    const fields = formatFields([
      ['file', file],
      ['manifest', report.manifest],
      ['log', `${origin}, ${size} entries`],
      ['root', root],
      ['SHA-256', manifest.file.sha256],
    ]);
    return `${fields}\n${session.paint.good('Backed up.')} Keys, secrets and configuration are not in it: keep them apart from it.\n`;
  });
}
