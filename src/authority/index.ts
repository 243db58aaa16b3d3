export { backUpDatabase, copyDatabase, readDatabase } from './database.ts';
export { type AuthorityPorts, type RunningAuthority, startAuthority } from './start.ts';
export { checkpointFile } from './checkpoint-file.ts';
export { loadLogSigner } from './log.ts';
export { policyText } from './in-force.ts';
export { caCertificatePath, crlPath } from './public-paths.ts';
export type { ListenerAddress } from './listeners.ts';
