export { type ScepConnection, scepHandler, type ScepPorts } from './handler.ts';
export type { RaInForce } from './ra.ts';
export { scepOids } from './scep-oids.ts';
