import type { Dns } from './dns.ts';
import type { AddressGuard } from './permitted-address.ts';

/** Where one attempt is made from, and what it may do there. */
export interface Place {
  readonly dns: Dns;
  readonly localAddress: string | null;
  readonly permitted: AddressGuard;
  readonly httpPort: number;
  readonly tlsPort: number;
  /** For one connection to be made: the next address must have its turn. */
  readonly connectMilliseconds: number;
  /** The end of the whole attempt. */
  readonly signal: AbortSignal;
  /** Grows by each address that is connected to. */
  readonly connectedTo: string[];
}
