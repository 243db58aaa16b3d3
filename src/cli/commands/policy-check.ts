import { Command } from 'commander';
import type { Bundle } from '#policy';
import { readNamedFile } from '../files.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

export function policyCheck(run: Run): Command {
  return teach(new Command('check'), {
    summary: 'Load the policies as the authority would, and list their controls',
    when:
      'Before a changed policy file is put in force with SIGHUP, and to read the defense at a glance. A file takes the place of the configured one; what the configuration ' +
      'adds stays added. Policies that could open the door are refused: a required control that is missing, weakened or silent.',
    examples: ['sallyport policy check', 'sallyport policy check ./strict.cedar --json'],
    exits: [3],
  })
    .argument('[file]', 'Cedar policies to check in place of the configured ones')
    .action(run(check));
}

async function check(session: Session, file: string | undefined): Promise<void> {
  const { loadBundle } = await import('#policy');
  const { policyText } = await import('#authority');
  const { policy, ...configuration } = await session.configuration();
  const named = file === undefined ? policy.file : session.path(file);
  // A file that was named in the command and is not there is a mistake in the command.
  if (file !== undefined) await readNamedFile(session.path(file));
  const bundle = loadBundle(await policyText({ ...policy, file: named }), {
    templates: configuration.templates.map(({ name }) => name),
    deviceClasses: configuration.deviceClasses.map(({ name }) => name),
  });
  const controls = bundle.controls.map(({ id, title, liftable }) => ({ id, title, liftable }));
  session.print({ ok: true, digest: bundle.digest, controls }, () => words(session, bundle));
}

function words({ paint }: Session, { digest, controls }: Bundle): string {
  const list = controls.map(
    ({ id, title, liftable }) =>
      `${paint.strong(id)}${liftable ? paint.waiting('  an operator may lift it') : ''}\n    ${title}\n`,
  );
  return `${list.join('')}\n${paint.good('The policies load.')} ${controls.length} controls, SHA-256 ${digest}\n`;
}
