import { Command } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import type { ListenerAddress, RunningAuthority } from '#authority';
import { errorDetails, errorLine } from '../error-words.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { formatTable } from '../render/table.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { trustFiles } from '../trust-files.ts';
import { replayLog } from '../verify/replay-log.ts';

export function serveCommand(run: Run): Command {
  return teach(new Command('serve'), {
    summary: 'Run the authority',
    when:
      'In the foreground, under systemd or by hand. It is ready when it says so; with --json that is one line of JSON with the addresses and ' +
      'trust files. SIGHUP reads the configuration again: a file with a mistake leaves the running one in force. SIGTERM and SIGINT let the ' +
      'requests under way end, and the program ends with exit code 0.',
    examples: ['sallyport serve --config ./authority/sallyport.yaml'],
    exits: [3, 4, 5],
  }).action(run(serve));
}

async function serve(session: Session): Promise<ExitCode> {
  const { environment, now, onSignal } = session.terminal;
  const { startAuthority } = await import('#authority');
  const configuration = await session.configuration(environment);
  const report = ({ id, error }: { id: string; error: unknown }) =>
    note(session, `${id}: ${errorDetails(error)}`);
  const authority = await startAuthority({
    configuration,
    environment,
    wallClock: now,
    monotonicClock: () => performance.now(),
    version: packageJson.version,
    replay: (current, signal) => replayLog(current.file, environment, signal),
    report,
  });

  let reloading = Promise.resolve();
  const stopReloading = onSignal('SIGHUP', () => {
    reloading = reloading.then(() => reload(session, authority));
  });
  const ended = new Promise<'signal'>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      // Once only: who signals again means it, and gets the system's own way.
      const off = onSignal(signal, () => {
        off();
        resolve('signal');
      });
    }
  });
  const { listeners, name } = authority;
  const ready = { ready: true, name, listeners, trust: trustFiles(configuration) };
  session.print(ready, () => readyWords(session, authority, configuration.file));

  const end = await Promise.race([ended, authority.failed]);
  stopReloading();
  if (end === 'signal') {
    await reloading;
    await authority.close();
    return exitCodes.ok;
  }
  note(session, errorLine(end));
  await authority.close().catch(() => {});
  return exitCodes.failed;
}

async function reload(session: Session, authority: RunningAuthority): Promise<void> {
  try {
    const changed = await authority.reload();
    note(
      session,
      changed.length === 0
        ? 'configuration read again: nothing changed'
        : `configuration read again: ${changed.join(', ')}`,
    );
  } catch (error) {
    note(session, `the configuration stays as it was. ${errorLine(error)}`);
  }
}

/** To standard error, with the time: standard output has one line only. */
function note({ terminal }: Session, words: string): void {
  terminal.err(`${new Date(terminal.now()).toISOString()} ${words}\n`);
}

function readyWords(session: Session, { name, listeners }: RunningAuthority, file: string): string {
  const { strong } = session.paint;
  const columns = [{ title: 'LISTENER' }, { title: 'CLASS' }, { title: 'WHERE', shrinkTo: 30 }];
  const where = ({ url, socket }: ListenerAddress) => url ?? socket ?? '-';
  const table = formatTable(
    columns,
    listeners.map((listener) => [listener.name, listener.class, where(listener)]),
  );
  return `${strong(name)} is ready.\n\n${table}\nConfiguration: ${file}\n`;
}
