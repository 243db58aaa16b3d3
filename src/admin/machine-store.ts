import type { NewEntry } from '#audit';
import type { LogPosition } from '#enrollment';
import type { Machine } from './machine.ts';

/** The part of the store that knows machines. As with every act: atomic and durable together with its entry. */
export interface MachineStore {
  /** Throws 'conflict' where a machine has the name, or had it before it was revoked. */
  createMachine(act: { machine: NewMachine; token: NewToken; entry: NewEntry }): Promise<LogPosition>;
  /** By their names. */
  machines(filter: { after?: string; now: number; limit: number }): Promise<readonly StoredMachine[]>;
  /** The machine's other tokens end at `othersUntil`, where they do not end sooner. Throws 'not-found', 'conflict' for one that is revoked. */
  rotateMachine(act: {
    name: string;
    token: NewToken;
    othersUntil: number;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;
  /** `instead`: the machine's other certificates are none of its own any more. Throws 'conflict' for one that is or was pinned, whoever's it was. */
  pinCertificate(act: {
    name: string;
    /** Lower-case hex. */
    sha256: string;
    instead: boolean;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;
  /** For ever: with none of its credentials anything can be done from then on, nor with what it made and nobody has used up. */
  revokeMachine(act: {
    name: string;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition & { readonly secrets: number; readonly externalAccountKeys: number }>;
  /** Whose a token and a client certificate are, each by itself; whether they are good for anything is not judged here. */
  recogniseMachine(credentials: {
    tokenHash: Uint8Array | null;
    /** SHA-256, lower-case hex. */
    certificate: string | null;
  }): Promise<{ readonly byToken: TokenHolder | null; readonly byCertificate: CertificateHolder | null }>;
}

export interface NewMachine extends Machine {
  readonly createdAt: number;
  readonly by: string;
}

export interface NewToken {
  readonly hash: Uint8Array;
  readonly expiresAt: number;
}

export interface StoredMachine extends NewMachine {
  readonly revokedAt: number | null;
  /** Those that have not ended, the newest last. */
  readonly tokens: readonly { readonly createdAt: number; readonly expiresAt: number }[];
  /** SHA-256 of those that are pinned. */
  readonly certificates: readonly string[];
}

interface Holder {
  readonly machine: Machine;
  readonly revoked: boolean;
}

export interface TokenHolder extends Holder {
  readonly expiresAt: number;
}

export interface CertificateHolder extends Holder {
  /** null: it is pinned. */
  readonly unpinnedAt: number | null;
}
