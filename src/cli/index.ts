export { AdminClient } from './admin-client.ts';
export { runCommandLine } from './command-line.ts';
export { type ExitCode, exitCodes, exitCodeWords } from './exit-code.ts';
export { processTerminal } from './process-terminal.ts';
export type { Terminal } from './terminal.ts';
export { replayLog } from './verify/replay-log.ts';
