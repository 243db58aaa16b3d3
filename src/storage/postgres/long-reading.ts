const limitStatement = "set local statement_timeout = '15s'";

/**
 * Of one moment, to the end of a backup or a verification. What is done with each answer takes a moment; a machine that is gone must not keep a
 * snapshot, and the locks of an upgrade's way, for ever.
 */
export const beginLongReading = [
  'begin isolation level repeatable read read only',
  "set local idle_in_transaction_session_timeout = '10min'",
  limitStatement,
].join('; ');

/** A table of which every row is looked at in one statement: the larger it is, the longer that takes. */
export async function asWholeTable<Result>(
  session: { control(sql: string): Promise<void> },
  use: () => Promise<Result>,
): Promise<Result> {
  await session.control("set local statement_timeout = '1h'");
  const result = await use();
  await session.control(limitStatement);
  return result;
}
