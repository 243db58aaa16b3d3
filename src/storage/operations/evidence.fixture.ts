import type { UsedEvidence } from '#enrollment';
import { digest } from '../storage.fixture.ts';

/** Fresh, of nobody who was given a nonce, and remembered as nothing. */
export function usedEvidence(name: string, changes: Partial<UsedEvidence> = {}): UsedEvidence {
  return {
    secretId: null,
    presenterSha256: null,
    nonce: null,
    sha256: digest(name),
    fresh: true,
    attester: null,
    verified: null,
    memory: null,
    alarm: null,
    ...changes,
  };
}
