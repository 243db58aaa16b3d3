import { Command, Option } from 'commander';
import { SallyportError } from '#errors';
import { type KeyAlgorithm, keyAlgorithms } from '#keys';
import type { InitPlan } from '../init/plan.ts';
import { interruptible } from '../interruption.ts';
import { formatFields } from '../render/fields.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface InitOptions {
  readonly dir: string;
  readonly yes?: boolean;
  readonly name: string;
  readonly portBase: number;
  readonly algorithm: KeyAlgorithm;
  readonly logOrigin?: string;
}

export function initCommand(run: Run): Command {
  return teach(new Command('init'), {
    summary: 'Create an authority: configuration, root and issuing CA, log, first operator',
    when:
      'Once, in the beginning. Everything goes into one new folder that only you can read; a folder that holds anything is left alone. ' +
      "The root's key is written apart, into offline/: move it off the machine before you go on. The authority listens on loopback until you " +
      'change its configuration: EST on the port base, CRLs on the next port, SCEP on the one after it.',
    examples: [
      'sallyport init --dir ./authority',
      'sallyport init --dir ./authority --yes --name "Example Corp" --port-base 9443',
    ],
    exits: [3],
  })
    .option('--dir <folder>', 'folder of the new authority', '.')
    .option('--yes', 'ask nothing')
    .option('--name <name>', 'name of the authority, in its CA certificates', 'Sallyport')
    .option(
      '--port-base <port>',
      'EST on this port of loopback, CRLs on the next, SCEP on the one after it',
      parseWholeNumber,
      8443,
    )
    .addOption(new Option('--algorithm <name>', 'of the CA keys').choices(keyAlgorithms).default('ec-p256'))
    .option(
      '--log-origin <name>',
      'name of the log, such as ca.example.com/log; never changes (default: made of the name)',
    )
    .action(run(init));
}

async function init(session: Session, options: InitOptions): Promise<void> {
  const { planInit } = await import('../init/plan.ts');
  const { createAuthority } = await import('../init/create-authority.ts');
  const { demandFree } = await import('../init/put-in-place.ts');
  const plan = planInit({
    directory: session.path(options.dir),
    name: options.name,
    portBase: options.portBase,
    algorithm: options.algorithm,
    logOrigin: options.logOrigin ?? null,
  });
  await demandFree(plan.directory);
  if (options.yes !== true) await confirm(session, plan);

  const { now, random } = session.terminal;
  await interruptible(session.terminal, async (signal) => {
    const { logVerifierKey } = await createAuthority(plan, { now: now(), random, signal });
    await report(session, plan, logVerifierKey);
  });
}

async function confirm(session: Session, plan: InitPlan): Promise<void> {
  const { ask } = session.terminal;
  if (ask === null) {
    throw new SallyportError(
      'usage',
      'nobody is here to be asked; give --yes to create the authority at once',
    );
  }
  session.terminal.err(`This will be created:\n\n${describePlan(plan)}\n`);
  const answer = await ask('Create it? [y/N] ');
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new SallyportError('usage', 'nothing was created');
}

function describePlan({ directory, name, algorithm, portBase, configuration }: InitPlan): string {
  return formatFields([
    ['folder', directory],
    ['name', name],
    ['CA keys', `${algorithm}, the root's apart in offline/`],
    ['enrollment', `https://127.0.0.1:${portBase} (EST)`],
    ['CRLs', `http://127.0.0.1:${portBase + 1}`],
    ['log', configuration.log.origin],
    ['templates', configuration.templates.map((template) => template.name).join(', ')],
    ['classes', configuration.deviceClasses.map((deviceClass) => deviceClass.name).join(', ')],
  ]);
}

async function report(session: Session, plan: InitPlan, logVerifierKey: string): Promise<void> {
  const { layout } = await import('../init/plan.ts');
  const { join } = await import('node:path');
  const at = (relative: string) => join(plan.directory, relative);
  const issuer = plan.configuration.issuers[0]!;
  const value = {
    directory: plan.directory,
    configuration: at(layout.configuration),
    trust: { root: issuer.chain.at(-1)!, issuing: issuer.certificate, chain: at(layout.trust) },
    operatorToken: at(layout.token),
    rootKey: at(layout.rootKey),
    logVerifierKey,
  };
  session.print(value, () => {
    const { strong } = session.paint;
    return `\
The authority ${strong(plan.name)} is in ${plan.directory}.

Next:
  1. Take the root's key offline: move ${at('offline')} off this machine. Nothing here needs it.
  2. Start it:      sallyport serve --config ${value.configuration}
  3. Name devices:  sallyport device import devices.csv --config ${value.configuration}
     (a CSV with the columns id and class, and serial_number, owner, dns_name where you have them)
  4. Give clients   ${value.trust.chain}
     (the root and the issuing CA) as what they trust; for files and lines of each kind of client:
     sallyport trust export --config ${value.configuration}

Commands act under the token ${value.operatorToken}: whoever can read it is the operator.
Auditors check the log with its public key; note it down elsewhere:
  ${logVerifierKey}
`;
  });
}
