export { type EstConnection, estHandler, type EstPorts } from './handler.ts';
export { problemsByControl } from './problems.ts';
export { estOperations } from './target.ts';
