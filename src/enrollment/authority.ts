import type { Issuer, NextAuthority } from '#ca';
import type { Bundle } from '#policy';
import type { Certificate } from '#x509';
import type { StaticChallenges } from './challenge.ts';
import type { StatusLists } from './offered-evidence.ts';
import type { MacKey } from './one-time-secret.ts';
import type { References } from './references.ts';
import type { Verifier } from './verifier.ts';
import type { Workflow } from './workflow.ts';

/**
 * What is in force. Replaced as a whole when the configuration is reloaded; a request keeps the one it began with. The bodies of references
 * and policies are in the store under their digests before an Authority is put in force.
 */
export interface Authority {
  readonly references: References;
  readonly referencesDigest: string;
  readonly bundle: Bundle;
  readonly issuers: ReadonlyMap<string, IssuerInForce>;
  /** The CAs that vouch for identities from elsewhere: paths end at them. */
  readonly identityCas: readonly Certificate[];
  /** By listener: certificates of management clients, and the CAs that vouch for such. */
  readonly managementCertificates: ReadonlyMap<string, readonly Certificate[]>;
  /** CAs that stand beside registration authorities: clients are told their names in the handshake, and they vouch for nobody. */
  readonly hintedCas: readonly Certificate[];
  /** What issuers of attestation keys have revoked, as of when the authority read it. */
  readonly statusLists: StatusLists;
  /** The newest first. */
  readonly macKeys: readonly MacKey[];
  /** By template. */
  readonly staticChallenges: StaticChallenges;
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** Who reads evidence that is not read here, by name. */
  readonly verifiers: ReadonlyMap<string, Verifier>;
  /** The longest that a client whose request is held is told to wait. */
  readonly longestRetryAfterSeconds: number;
}

export interface IssuerInForce {
  readonly issuer: Issuer;
  readonly crlUrls: readonly string[];
  readonly caIssuersUrls: readonly string[];
  /** null: what follows is not told yet. */
  readonly next: NextAuthority | null;
}

/** The CA certificates of an issuer, itself first and the root last. */
export function path(issuer: Issuer): readonly Certificate[] {
  return [issuer.certificate, ...issuer.chain];
}
