import type { Identifier } from './identifier.ts';

export const challengeTypes = ['http-01', 'dns-01', 'tls-alpn-01'] as const;
export type ChallengeType = (typeof challengeTypes)[number];

export interface Challenge {
  readonly type: ChallengeType;
  /** Without the `*.` of a wildcard, as in an authorization (RFC 8555 section 7.1.4). */
  readonly identifier: Identifier;
  readonly wildcard: boolean;
  readonly token: string;
  /** RFC 8555 section 8.1. */
  readonly keyAuthorization: string;
  /** The URL of the account, for `accounturi` of CAA (RFC 8657 section 3). Without it such a record permits nothing. */
  readonly accountUri?: string;
}
