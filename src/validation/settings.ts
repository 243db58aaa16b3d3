export interface ValidationSettings {
  /** CIDRs that http-01 and tls-alpn-01 may connect to. Empty: none. */
  readonly networks: readonly string[];
  /** `192.0.2.1`, `192.0.2.1:53` or `[2001:db8::1]:53`. Empty: those of the system. */
  readonly resolvers: readonly string[];
  readonly httpPort: number;
  readonly tlsPort: number;
  /** The issuer domain name that CAA records know us by; null: CAA is not looked at. */
  readonly caa: string | null;
  /** Further places from which it must hold as well, each of them. */
  readonly perspectives: readonly Perspective[];
  /** For the whole of one validation, from all places. */
  readonly timeoutMilliseconds: number;
}

export interface Perspective {
  /** For who reads what failed. */
  readonly name: string;
  /** As above. */
  readonly resolvers: readonly string[];
  /** Where questions and connections leave from; null: as the system has it. Connects to addresses of its own version only. */
  readonly localAddress: string | null;
}
