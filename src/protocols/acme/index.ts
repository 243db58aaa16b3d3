export { acmeHandler } from './handler.ts';
export type { AcmeConnection, AcmePorts } from './ports.ts';
export type * from './store.ts';
export { isAcmeTarget } from './target.ts';
export { type ValidationOutcome, Validations } from './validations.ts';
