export { attestationHandler, type AttestationPorts } from './handler.ts';
export { isAttestationTarget } from './target.ts';
