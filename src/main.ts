import { enableCompileCache } from 'node:module';
import './runtime.cjs';

// Half of the start would be stripping and compiling the same modules again: the launcher says so by NODE_COMPILE_CACHE, and this for whoever starts
// without it. Where the folder cannot be written there is no cache.
enableCompileCache(new URL('../node_modules/.cache/sallyport', import.meta.url).pathname);

// An import of node:http reads all that it exports, and these load undici: 35 ms of each start, for classes that nothing here uses.
const http: object = process.getBuiltinModule('node:http');
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) Reflect.deleteProperty(http, name);

// Only now: an older Node.js was refused in one line, and would stumble over what is behind this door.
const { processTerminal, runCommandLine } = await import('#cli');

// Set and not exited with, so that what is written to a pipe is written whole.
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
