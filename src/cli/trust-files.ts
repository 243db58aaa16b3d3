import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '#config';

export interface TrustFiles {
  readonly root: string;
  readonly issuing: string;
  /** Both in one file, the root first: what clients are given. null where nobody made one. */
  readonly chain: string | null;
}

/** What clients trust, for the first issuer of the configuration. Absolute paths. */
export function trustFiles({ issuers, directory }: Configuration): TrustFiles {
  const issuer = issuers[0]!;
  const chain = join(directory, 'pki', 'trust.pem');
  return { root: issuer.chain.at(-1)!, issuing: issuer.certificate, chain: existsSync(chain) ? chain : null };
}
