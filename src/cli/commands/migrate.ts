import { Command } from 'commander';
import { access, rename } from 'node:fs/promises';
import type { Configuration } from '#config';
import { SallyportError } from '#errors';
import type { ReadOnlyStorage } from '#storage';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { formatFields } from '../render/fields.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { configuredKey, readIfThere } from '../verify/configured-key.ts';
import type { LogReport } from '../verify/verify-authority-log.ts';

export function migrateCommand(run: Run): Command {
  return teach(new Command('migrate'), {
    summary: 'Move the authority from SQLite to PostgreSQL',
    when:
      'When one machine is no longer enough. End `serve`, name the new and empty database under database.postgres in the configuration, and run this. All is ' +
      'copied in one transaction; the log is verified before in the old database and afterwards in the new one, and must be the same to the last hash. Then the ' +
      'old file is put aside as sallyport.db.moved, so that nobody serves it by mistake: its log would go on as another. Delete it when you are sure: ' +
      '`device erase` does not reach it. What was broken off is gone on with by running it again.',
    examples: ['sallyport migrate --config ./authority/sallyport.yaml'],
    exits: [3, 4, 5],
  }).action(run(migrate));
}

async function migrate(session: Session): Promise<ExitCode> {
  const { environment } = session.terminal;
  const { copyDatabase, readDatabase } = await import('#authority');
  const { openSqliteReadOnly } = await import('#storage');
  const configuration = await session.configuration(environment);
  const { sqliteFile } = configuration;
  const moved = `${sqliteFile}.moved`;
  await demandAbsent(moved);

  const before = await verified(session, configuration, await openSqliteReadOnly(sqliteFile));
  if (!before.ok) {
    return unverified(session, before, 'The log of the old database does not verify, so nothing was copied.');
  }
  const rows = await copyDatabase(configuration, environment, (table, count) => {
    if (session.terminal.outIsTerminal) session.note(`${count} rows of ${table}`);
  });
  const after = await verified(session, configuration, await readDatabase(configuration, environment));
  if (!after.ok || after.size !== before.size || after.root !== before.root) {
    return unverified(
      session,
      after,
      'The log of the new database is not that of the old one. Do not serve it; the old one is untouched.',
    );
  }
  await rename(sqliteFile, moved);
  const report = {
    ok: true,
    size: after.size,
    root: after.root,
    certificates: after.certificates,
    rows,
    moved,
  };
  session.print(report, () => {
    const fields = formatFields([
      ['entries', String(after.size)],
      ['certificates', String(after.certificates)],
      ['root', after.root],
      ['old database', moved],
    ]);
    return `${fields}\n${session.paint.good('Moved.')} The log verifies in the new database, to the same root.\n`;
  });
  return exitCodes.ok;
}

/** What an earlier run put aside is not written over. */
async function demandAbsent(moved: string): Promise<void> {
  const isThere = await access(moved).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw new SallyportError(
    'config',
    `${moved} is there already, from an earlier migration: move or delete it`,
  );
}

async function verified(
  session: Session,
  configuration: Configuration,
  storage: ReadOnlyStorage,
): Promise<LogReport> {
  const { verifyAuthorityLog } = await import('../verify/verify-authority-log.ts');
  try {
    return await verifyAuthorityLog({
      storage,
      checkpoint: await readIfThere(configuration.log.checkpointFile),
      verifierKey: await configuredKey(session, configuration),
      progress: () => {},
    });
  } finally {
    await storage.close();
  }
}

function unverified(session: Session, report: LogReport, words: string): ExitCode {
  session.print({ ...report, ok: false }, () => {
    const list = report.findings.map(({ message }) => `${message}\n`).join('');
    return `${list}${session.paint.bad(words)}\n`;
  });
  return exitCodes.unverified;
}
