export { type AuthorityPorts, databaseFile, type RunningAuthority, startAuthority } from './start.ts';
export { policyText } from './in-force.ts';
export { caCertificatePath, crlPath } from './public-paths.ts';
export type { ListenerAddress } from './listeners.ts';
