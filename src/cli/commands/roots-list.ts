import { Command } from 'commander';
import type { TrustAnchors } from '#evidence';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../render/printable.ts';
import { describeTime } from '../render/time.ts';
import type { RootView } from '../roots/root-view.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface ListedSet {
  readonly name: string;
  readonly format: TrustAnchors['format'];
  readonly level: TrustAnchors['level'];
  readonly intermediates: number;
  readonly roots: readonly RootView[];
}

export function rootsList(run: Run): Command {
  return teach(new Command('list'), {
    summary: 'The roots of attestation that the configuration has',
    when:
      'To see whom evidence is believed: each set with its certificates, whose they are by the fingerprints that vendors publish, and when they end. It works on the files, with ' +
      'or without a running authority. The exit code is 1 where one has ended or ends within 90 days, is of another format or level than its set, is no CA or has a weak key; a root ' +
      'that is not known, such as one of your own, is only named.',
    examples: ['sallyport roots list', 'sallyport roots list --json'],
    exits: [3],
  }).action(run(listRoots));
}

async function listRoots(session: Session): Promise<ExitCode> {
  const { readTrustAnchors } = await import('#authority');
  const { parseBase64Certificate } = await import('#x509');
  const { rootView } = await import('../roots/root-view.ts');
  const anchors = await readTrustAnchors(await session.configuration());
  const sets = anchors.map(({ name, format, level, roots, intermediates }) => ({
    name,
    format,
    level,
    intermediates: intermediates.length,
    roots: roots.map((root) => rootView(parseBase64Certificate(root), { format, level }, session.now)),
  }));
  const isSound = sets.every(({ roots }) =>
    roots.every(({ concerns }) => concerns.every(({ check }) => check === 'root-unknown')),
  );
  session.print({ ok: isSound, sets }, () => words(session, sets, isSound));
  return isSound ? exitCodes.ok : exitCodes.failed;
}

function words({ paint, now }: Session, sets: readonly ListedSet[], isSound: boolean): string {
  if (sets.length === 0) return 'No roots are configured: nobody vouches for any evidence.\n';
  const listed = sets.map(({ name, format, level, intermediates, roots }) => {
    const title = [format, ...(level === null ? [] : [level]), `${intermediates} intermediates`].join(', ');
    const lines = roots.map(({ known, subject, sha256, notAfter, concerns }) => {
      const label = known === null ? printable(subject) : `${known.vendor}: ${known.name}`;
      const against = concerns.map(
        ({ check, detail }) =>
          `    ${check === 'root-unknown' ? paint.waiting(detail) : paint.bad(detail)}\n`,
      );
      return `  ${label}\n    SHA-256 ${sha256}\n    until ${describeTime(notAfter, now)}\n${against.join('')}`;
    });
    return `${paint.strong(name)}  ${title}\n${lines.join('')}`;
  });
  return `${listed.join('\n')}\n${isSound ? paint.good('Nothing needs you.') : paint.bad('This needs somebody.')}\n`;
}
