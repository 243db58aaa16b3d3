export { type EstConnection, estHandler, type EstPorts } from './handler.ts';
export { problemsByControl } from './problems.ts';
export { estOperations, isEstTarget } from './target.ts';
