import { enrollment } from './migrations/0001-enrollment.ts';
import { nodes } from './migrations/0002-nodes.ts';
import { blobs } from './migrations/0003-blobs.ts';
import { earlierLogs } from './migrations/0004-earlier-logs.ts';
import { crlLength } from './migrations/0005-crl-length.ts';
import { newestHead } from './migrations/0006-newest-head.ts';
import { nodesInForce } from './migrations/0007-nodes-in-force.ts';
import { scep } from './migrations/0008-scep.ts';
import { machines } from './migrations/0009-machines.ts';
import { workflows } from './migrations/0010-workflows.ts';
import { acme } from './migrations/0011-acme.ts';
import { listenerCertificates } from './migrations/0012-listener-certificates.ts';
import { evidence } from './migrations/0013-evidence.ts';
import { attestationKeys } from './migrations/0014-attestation-keys.ts';
import { verifiedEvidence } from './migrations/0015-verified-evidence.ts';
import { accountsByEvidence } from './migrations/0016-accounts-by-evidence.ts';
import { evidenceVersions } from './migrations/0017-evidence-versions.ts';
import { attestationKeysOfDevices } from './migrations/0018-attestation-keys-of-devices.ts';
import { lineages } from './migrations/0019-lineages.ts';
import { provenMessages } from './migrations/0020-proven-messages.ts';
import { waitingEvidence } from './migrations/0021-waiting-evidence.ts';
import { approvedEvidence } from './migrations/0022-approved-evidence.ts';

/**
 * One step of the schema. Its statements are written for SQLite in words that PostgreSQL shares, but for the types (`integer` there is
 * bigint, `real` double precision, `blob` bytea) and the table options `strict` and `without rowid`, which it leaves out. What was
 * released never changes: a mistake is mended by the next migration.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
  /** What only one of them needs besides, or needs in words of its own. */
  readonly onSqlite?: readonly string[];
  readonly onPostgres?: readonly string[];
}

/** In order; the version is the place in the list, from 1. */
export const migrations: readonly Migration[] = [
  enrollment,
  nodes,
  blobs,
  earlierLogs,
  crlLength,
  newestHead,
  nodesInForce,
  scep,
  machines,
  workflows,
  acme,
  listenerCertificates,
  evidence,
  attestationKeys,
  verifiedEvidence,
  accountsByEvidence,
  evidenceVersions,
  attestationKeysOfDevices,
  lineages,
  provenMessages,
  waitingEvidence,
  approvedEvidence,
];
