export {
  assertEmptyDatabase,
  backUpDatabase,
  copyDatabase,
  putDatabase,
  readDatabase,
  whileNobodyServes,
} from './database.ts';
export { eventEntry } from './event-entry.ts';
export { type AuthorityPorts, type RunningAuthority, startAuthority } from './start.ts';
export { exchangeAnchor, notesInAnchor, prepareAnchor } from './anchor.ts';
export { checkpointFile } from './checkpoint-file.ts';
export { keptName, originOf } from './kept-checkpoint.ts';
export { checkPublished, loadLogSigner, type Published, readPublished } from './log.ts';
export { loadTrustAnchors, readTrustAnchors } from './evidence-roots.ts';
export { loadStatusLists } from './status-lists.ts';
export { policyText } from './in-force.ts';
export { caCertificatePath, crlPath } from './public-paths.ts';
export type { ListenerAddress } from './listeners.ts';
