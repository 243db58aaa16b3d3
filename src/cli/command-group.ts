import { Command } from 'commander';
import type { Run } from './run.ts';

/** `sallyport <name> <command>`: alone it shows what there is. */
export function commandGroup(
  name: string,
  summary: string,
  commands: readonly ((run: Run) => Command)[],
  run: Run,
): Command {
  const group = new Command(name).description(summary);
  for (const make of commands) group.addCommand(make(run));
  return group;
}
