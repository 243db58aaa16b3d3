import { enableCompileCache } from 'node:module';
import './runtime.cjs';

// Half of the start would be stripping and compiling the same modules again. Where the folder cannot be written there is no cache.
enableCompileCache(new URL('../node_modules/.cache/sallyport', import.meta.url).pathname);

// Only now: an older Node.js was refused in one line, and would stumble over what is behind this door.
const { processTerminal, runCommandLine } = await import('#cli');

// Set and not exited with, so that what is written to a pipe is written whole.
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
