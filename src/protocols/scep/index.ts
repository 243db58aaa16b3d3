export { certRep, type CertRepContent, type CertRepForm, type FailInfo } from './cert-rep.ts';
export { type MessageType, type PkiMessage, readPkiMessage, type Transaction } from './pki-message.ts';
