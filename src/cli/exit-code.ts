import { type ErrorCode, isSallyportError } from '#errors';

/** What a script can rely on. README and each command's help say the same words. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  configuration: 3,
  unreachable: 4,
  unverified: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeWords = {
  0: 'done',
  1: 'refused by the authority, or failed; nothing was changed',
  2: 'the command or its arguments are wrong',
  3: 'the configuration, a key file or the policies are wrong',
  4: 'the authority is not running, or cannot answer now',
  5: 'the log does not verify',
} as const satisfies Record<ExitCode, string>;

const exitCodeOfError = {
  usage: exitCodes.usage,
  config: exitCodes.configuration,
  policy: exitCodes.configuration,
  key: exitCodes.configuration,
  store: exitCodes.unreachable,
  log: exitCodes.unverified,
  malformed: exitCodes.failed,
  unsupported: exitCodes.failed,
  'too-large': exitCodes.failed,
  'bad-signature': exitCodes.failed,
  lint: exitCodes.failed,
  mandate: exitCodes.failed,
  conflict: exitCodes.failed,
  'not-found': exitCodes.failed,
  forbidden: exitCodes.failed,
  internal: exitCodes.failed,
} as const satisfies Record<ErrorCode, ExitCode>;

export function exitCodeOf(error: unknown): ExitCode {
  return isSallyportError(error) ? exitCodeOfError[error.code] : exitCodes.failed;
}
