import { SallyportError } from '#errors';

/** postgresql.org/docs/current/errcodes-appendix.html: what an operation, and not the database, has to answer for. */
const foreignKeyViolation = '23503';
const uniqueViolation = '23505';
const lockNotAvailable = '55P03';

/** An error of PostgreSQL in our words. `what` says what could not be done. Holds no value that was bound. */
export function postgresError(error: unknown, what: string): SallyportError {
  if (error instanceof SallyportError) return error;
  switch (sqlState(error)) {
    case uniqueViolation:
      return new SallyportError('conflict', `it is there already (${constraintOf(error)})`, { cause: error });
    case foreignKeyViolation:
      return new SallyportError('not-found', 'it refers to a device that is not there', { cause: error });
    default:
      return new SallyportError('store', `${what}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The five characters by which the server says what is wrong; undefined where it was not the server that failed. */
export function sqlState(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object)
    ? code
    : undefined;
}

/** A lock was not had within the transaction's `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof SallyportError && sqlState(error.cause) === lockNotAvailable;
}

function constraintOf(error: unknown): string {
  const name: unknown = error instanceof Error && 'constraint' in error ? error.constraint : undefined;
  return typeof name === 'string' ? name : 'a unique index';
}

/** Several addresses of one name fail with an error that has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((each) => reasonOf(each)).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
