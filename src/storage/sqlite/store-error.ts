import { SallyportError } from '#errors';

/** sqlite.org/rescode.html: extended codes of what an operation, and not the database, has to answer for. */
const constraintForeignKey = 787;
const constraintPrimaryKey = 1555;
const constraintUnique = 2067;

/** An error of node:sqlite in our words. `what` says what could not be done. */
export function storeError(error: unknown, what: string): SallyportError {
  if (error instanceof SallyportError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  switch (errorCode(error)) {
    case constraintPrimaryKey:
    case constraintUnique:
      return new SallyportError('conflict', `it is there already (${reason})`, { cause: error });
    case constraintForeignKey:
      return new SallyportError('not-found', 'it refers to a device that is not there', { cause: error });
    default:
      return new SallyportError('store', `${what}: ${reason}`, { cause: error });
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined;
}
