import type { Command } from 'commander';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { type GlobalOptions, Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** What a command does; nothing returned means done. Parameters: its arguments, then its options. */
export type Action<Parameters extends readonly unknown[]> = (
  session: Session,
  ...parameters: Parameters
) => Promise<ExitCode | void>;

/** Makes commander's action of ours. */
export type Run = <Parameters extends readonly unknown[]>(
  action: Action<Parameters>,
) => (...given: unknown[]) => Promise<void>;

export function runner(terminal: Terminal): { readonly run: Run; readonly exitCode: () => ExitCode } {
  let exitCode: ExitCode = exitCodes.ok;
  return {
    run:
      (action) =>
      async (...given) => {
        // Commander gives the arguments, the options and the command itself.
        const command = given.pop() as Command;
        const session = new Session(terminal, command.optsWithGlobals<GlobalOptions>());
        exitCode = (await action(session, ...(given as never))) ?? exitCodes.ok;
      },
    exitCode: () => exitCode,
  };
}
