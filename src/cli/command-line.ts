import { CommanderError } from 'commander';
import { errorDetails, errorLine } from './error-words.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts';
import { program } from './program.ts';
import { runner } from './run.ts';
import type { Terminal } from './terminal.ts';

/** Runs `sallyport` with these arguments. Never throws: what went wrong is one line on standard error, and the exit code. */
export async function runCommandLine(parameters: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { run, exitCode } = runner(terminal);
  try {
    await program(run, terminal).parseAsync([...parameters], { from: 'user' });
    return exitCode();
  } catch (error) {
    // Commander has said its part already: help and version are no errors, anything else is a wrong command.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    terminal.err(`${errorLine(error)}\n`);
    if (terminal.environment['SALLYPORT_DEBUG'] !== undefined) terminal.err(`${errorDetails(error)}\n`);
    return exitCodeOf(error);
  }
}
