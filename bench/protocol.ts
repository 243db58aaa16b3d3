import type { ServedAuthority } from '../test/harness/authority.ts';
import type { ClientKey } from '../test/harness/csr.ts';
import type { Floor } from './floor.ts';

/** One device, ready to ask: its request is made before the clock starts. */
export interface BenchClient {
  readonly id: string;
  readonly key: ClientKey;
  readonly secret: string;
  readonly message: Uint8Array | string;
  /** null: it has none yet. */
  certificate: Uint8Array | null;
}

/** How devices ask, and what that costs at the least. */
export interface BenchProtocol {
  readonly name: string;
  readonly operations: { readonly enrollment: string; readonly renewal: string };
  floor(renewals: boolean): Floor;
  /** CPU milliseconds of an exchange with nothing behind the listener. */
  transport(authority: ServedAuthority, workers: number): Promise<number>;
  /** Another server, at the same in the same run; null: it is not installed. Absent: there is none. */
  peer?(): Promise<{ readonly name: string; readonly cpuMilliseconds: number } | null>;
  /** As many as the fastest conceivable server would take in a second. */
  readonly clientsPerSecond: number;
  clientMaker(
    authority: ServedAuthority,
    renewals: boolean,
  ): Promise<(id: string, secret: string) => Promise<BenchClient>>;
  enroll(client: BenchClient, authority: ServedAuthority): Promise<void>;
  renew(client: BenchClient, authority: ServedAuthority): Promise<void>;
}
