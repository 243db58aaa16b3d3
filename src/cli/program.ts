import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { accountCommand } from './commands/account.ts';
import { attestCommand } from './commands/attest.ts';
import { attestationCommand } from './commands/attestation.ts';
import { backupCommand } from './commands/backup.ts';
import { certificateCommand } from './commands/certificate.ts';
import { deviceCommand } from './commands/device.ts';
import { eabCommand } from './commands/eab.ts';
import { initCommand } from './commands/init.ts';
import { logCommand } from './commands/log.ts';
import { machineCommand } from './commands/machine.ts';
import { migrateCommand } from './commands/migrate.ts';
import { policyCommand } from './commands/policy.ts';
import { profileCommand } from './commands/profile.ts';
import { requestCommand } from './commands/request.ts';
import { restoreCommand } from './commands/restore.ts';
import { rootsCommand } from './commands/roots.ts';
import { secretCommand } from './commands/secret.ts';
import { serveCommand } from './commands/serve.ts';
import { statusCommand } from './commands/status.ts';
import { trustCommand } from './commands/trust.ts';
import { exitCodeWords } from './exit-code.ts';
import type { Run } from './run.ts';
import type { Terminal } from './terminal.ts';

const helpWidth = 100;

/** Every command of `sallyport`. */
export function program(run: Run, terminal: Terminal): Command {
  const root = new Command('sallyport')
    .description('A layered enrollment authority with a provable log.')
    .version(packageJson.version, '--version')
    .option('--config <file>', 'configuration (default: $SALLYPORT_CONFIG, else ./sallyport.yaml)')
    .option('--json', 'print JSON for scripts')
    .option(
      '--operator-token <file>',
      "the operator's token (default: $SALLYPORT_OPERATOR_TOKEN_FILE, else the only one of operators/ beside the configuration)",
    )
    .addHelpText('after', rootHelp());
  const commands = [
    initCommand(run),
    serveCommand(run),
    statusCommand(run),
    deviceCommand(run),
    secretCommand(run),
    eabCommand(run),
    accountCommand(run),
    requestCommand(run),
    certificateCommand(run),
    machineCommand(run),
    attestationCommand(run),
    rootsCommand(run),
    logCommand(run),
    backupCommand(run),
    restoreCommand(run),
    migrateCommand(run),
    policyCommand(run),
    trustCommand(run),
    profileCommand(run),
    attestCommand(run),
  ];
  for (const command of commands) root.addCommand(command);
  for (const command of [root, ...everyCommand(root)]) settle(command, terminal);
  return root;
}

/** All below `command`, whole depth. */
export function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

function settle(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, helpWidth })
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (text, write) =>
        write(
          `sallyport: ${text
            .replace(/^error: /, '')
            .trimEnd()
            .replaceAll('\n', ' ')}; see ${pathOf(command)} --help\n`,
        ),
    });
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function rootHelp(): string {
  const codes = Object.entries(exitCodeWords).map(([code, words]) => `  ${code}  ${words}\n`);
  return `
The first steps:
  sallyport init --dir ./authority
  sallyport serve --config ./authority/sallyport.yaml
  sallyport device import devices.csv --config ./authority/sallyport.yaml

Each command has its own help: sallyport secret create --help

Exit codes:
${codes.join('')}  78  this Node.js is too old
`;
}
