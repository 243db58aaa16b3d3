import type { Machine } from '../machine.ts';
import type { StoredMachine } from '../machine-store.ts';
import { isoTime, isoTimeOrNull } from './time.ts';

export interface MachineView extends Machine {
  /** Those that have not ended, the newest last; never the tokens themselves. */
  readonly tokens: readonly { readonly createdAt: string; readonly expiresAt: string }[];
  /** SHA-256 of those that are pinned. */
  readonly certificates: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly revokedAt: string | null;
}

export function machineView(machine: StoredMachine): MachineView {
  const { name, scopes, templates, sources, tokens, certificates, createdAt, by, revokedAt } = machine;
  return {
    name,
    scopes,
    templates,
    sources,
    tokens: tokens.map((token) => ({
      createdAt: isoTime(token.createdAt),
      expiresAt: isoTime(token.expiresAt),
    })),
    certificates,
    createdAt: isoTime(createdAt),
    createdBy: by,
    revokedAt: isoTimeOrNull(revokedAt),
  };
}
