import { Command, Option } from 'commander';
import { type ActResult, type MachineScope, machineScopes } from '#admin';
import { checkDuration } from '../duration-option.ts';
import { printable } from '../render/printable.ts';
import { describeTime } from '../render/time.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface CreateOptions {
  readonly scope: readonly MachineScope[];
  readonly template: readonly string[];
  readonly source?: readonly string[];
  readonly lifetime?: string;
}

export function machineCreate(run: Run): Command {
  return teach(new Command('create'), {
    summary: 'Let a machine ask the API, and print its token once',
    when:
      'When an MDM, a NAC or a script is to create secrets or external account keys for devices by itself, at a listener of class api. It can do what its scopes say, for ' +
      'the templates that are listed, and sees only what it made itself. None of this is changed later: create another machine, and revoke this ' +
      'one. The token is kept as a hash only: it cannot be shown again, rotate it.',
    examples: [
      'sallyport machine create mdm --scope secrets:create --template device',
      'sallyport machine create nac --scope secrets:create --template device iot --source 192.0.2.10',
    ],
    exits: [3, 4],
  })
    .argument('<name>', 'what the log calls it; stays taken for ever')
    .addOption(
      new Option('--scope <scope...>', 'what it may do').choices(machineScopes).makeOptionMandatory(),
    )
    .requiredOption('--template <name...>', 'what it may do it for')
    .option('--source <range...>', 'addresses it comes from (default: any that the listener takes)')
    .option('--lifetime <duration>', 'of the token, at most 366d (default: 90d)', checkDuration)
    .action(run(create));
}

async function create(session: Session, name: string, options: CreateOptions): Promise<void> {
  const { parseDuration } = await import('#config');
  const { scope, template, source = null, lifetime } = options;
  const created = await session.perform('createMachine', {
    name,
    scopes: [...scope],
    templates: [...template],
    sources: source === null ? null : [...source],
    lifetimeSeconds: lifetime === undefined ? null : parseDuration(lifetime),
  });
  session.print(created, () => words(session, created));
}

function words({ paint, now }: Session, created: ActResult<'createMachine'>): string {
  const { name, token, expiresAt, scopes, templates, sources } = created;
  const where = sources === null ? 'wherever the listener lets it in' : `from ${sources.join(', ')}`;
  return `\
Machine ${name} may ${scopes.join(', ')} for ${templates.map(printable).join(', ')}, ${where}.
Its token is shown this once:

  ${paint.strong(token)}

It can be used until ${describeTime(expiresAt, now)}.
`;
}
