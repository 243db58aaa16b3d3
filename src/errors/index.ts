/** The closed list of what can go wrong inside. Edges map each code to their protocol's words. */
export type ErrorCode =
  /** Bytes do not parse as what they claim to be. */
  | 'malformed'
  /** Well formed, but of an algorithm, version or form that is not on the allow-list. */
  | 'unsupported'
  /** Beyond a size, depth or count limit. */
  | 'too-large'
  /** A signature, MAC or proof does not verify. */
  | 'bad-signature'
  /** sallyport.yaml is wrong; the message names key, line and column. */
  | 'config'
  /** A policy bundle is refused. */
  | 'policy'
  /** A key file cannot be read, or its passphrase is wrong. */
  | 'key'
  /** A to-be-signed certificate breaks RFC 5280 or its template's own rules. */
  | 'lint'
  /** A mandate was redeemed twice or does not match what is to be signed. */
  | 'mandate'
  /** The store cannot do what was asked now; nothing was changed. */
  | 'store'
  /** The state asked about has moved on: spent, closed, already decided. */
  | 'conflict'
  /** The thing named does not exist. */
  | 'not-found'
  /** The caller may not do this. */
  | 'forbidden'
  /** The log does not prove what it should. */
  | 'log'
  /** A command or its arguments are wrong. */
  | 'usage'
  /** A fault of ours. Never shown to a client. */
  | 'internal';

/** The one error class. `message` says what was wrong and what to do; it never holds a secret or key. */
export class SallyportError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SallyportError';
    this.code = code;
  }
}

/** Narrows a caught value to a SallyportError, with one of the codes where some are given. */
export function isSallyportError(value: unknown, ...codes: ErrorCode[]): value is SallyportError {
  return value instanceof SallyportError && (codes.length === 0 || codes.includes(value.code));
}
