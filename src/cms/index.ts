export { certsOnly, parseCertsOnly } from './certs-only.ts';
