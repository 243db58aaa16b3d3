import { type Kind, operations } from '../operations.ts';
import { type ReadOnlyStorage, readOnlyStorage } from '../read-only.ts';
import { assertNewest } from '../schema-version.ts';
import { beginLongReading } from './long-reading.ts';
import type { PostgresSettings } from './postgres-settings.ts';

/** One transaction to the end, beside all that is written meanwhile. Throws 'store'. */
export async function openPostgresReadOnly(settings: PostgresSettings): Promise<ReadOnlyStorage> {
  // The driver is loaded where it is needed.
  const { PreparedStatements, Sessions } = await import('./session.ts');
  const sessions = new Sessions(settings, 1, new PreparedStatements(settings));
  const opened = Promise.withResolvers<ReadOnlyStorage>();
  const closed = Promise.withResolvers<void>();
  const lent = sessions.with(async (session) => {
    await session.control(beginLongReading);
    await session.perform(assertNewest());
    // One after the other: a connection answers one question at a time.
    let last: Promise<unknown> = Promise.resolve();
    opened.resolve(
      readOnlyStorage(
        (name, argument) => {
          const { perform } = operations[name] as Kind<unknown, never>;
          const next = last.then(() => session.perform(perform(argument)));
          last = next.catch(() => undefined);
          return next;
        },
        async () => {
          closed.resolve();
          await lent;
        },
      ),
    );
    await closed.promise;
    session.giveUp();
  });
  const ended = lent.catch((error: unknown) => opened.reject(error as Error));
  void ended.then(() => sessions.close());
  return opened.promise;
}
