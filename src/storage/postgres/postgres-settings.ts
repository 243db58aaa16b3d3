/** How a PostgreSQL is reached. */
export interface PostgresSettings {
  /** Name or address; the folder of a socket begins with a slash. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  /** PEM of the CAs that may vouch for the server, and its name is checked; null: no TLS. */
  readonly tls: { readonly ca: string } | null;
  /** Connections for what only reads. Admissions have half as many beside them, and the writer has one. */
  readonly connections: number;
  /** false: for poolers that cannot follow statements prepared in a session. */
  readonly preparedStatements: boolean;
}
