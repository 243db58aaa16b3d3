export { type Blob, blobOf, saltedHash, saltLength, verifyBlob } from './blob.ts';
export { type JsonValue, canonicalJson } from './canonical-json.ts';
export {
  type Checkpoint,
  type ParsedCheckpoint,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
} from './checkpoint.ts';
export { CompactRange, type CompletedSubtree } from './compact-range.ts';
export { type ConsistencyClaim, consistencyProof, verifyConsistency } from './consistency-proof.ts';
export {
  documentBundlePath,
  formatDocumentBundle,
  parseDocumentBundle,
  parseDocumentBundlePath,
} from './document-bundle.ts';
export { formatEntryBundle, parseEntryBundle } from './entry-bundle.ts';
export { decodeEntry, encodeEntry, maximumEntryLength, type NewEntry } from './entry.ts';
export { type InclusionClaim, inclusionProof, verifyInclusion } from './inclusion-proof.ts';
export {
  type CheckpointAnchor,
  type CheckpointFile,
  checkAgainstPublished,
  checkNote,
  demandUnbroken,
  type Publication,
  publishCheckpoint,
} from './publish-checkpoint.ts';
export { readTile } from './read-tile.ts';
export { firstOrigin, restoredOrigin } from './restored-origin.ts';
export {
  documentOf,
  joinEntry,
  openEntry,
  sealedAddress,
  type SealedEntry,
  SealedFields,
  sealEntry,
} from './sealed-entry.ts';
export { type NoteSignature, type NoteSigner, type OpenedNote, openNote, signNote } from './signed-note.ts';
export { openNdjsonSink } from './sinks/ndjson.ts';
export { drain, type Sink, type SinkEntry } from './sinks/sink.ts';
export type { EarlierLog, LogHead, LogReader, LogStore, StoredBlob } from './store.ts';
export { type TileHashes, type TileLevel, tileLevels, tileWidth, treeRoot } from './tile-hashes.ts';
export { type Tile, parseTilePath, tilePath, widthOfTile } from './tile-path.ts';
export { type TlogProof, formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
export { emptyRoot, leafHash, nodeHash } from './tree-hash.ts';
export type { TreeHead } from './tree-head.ts';
export { type NoteVerifier, parseVerifierKey, verifierKey, verifierKeyFor } from './verifier-key.ts';
export {
  type LogProblem,
  type LogToVerify,
  type LogVerification,
  type StoredEntry,
  verifyLog,
} from './verify-log.ts';
export { type TileFiles, tilesOf, verifyTiles } from './verify-tiles.ts';
