import type { LogStore } from '#audit';
import { type Kind, operations } from '../operations.ts';
import type { WholeCertificate } from '../operations/certificates.ts';
import { type Perform, logStore } from '../stores.ts';
import { Connection } from './connection.ts';
import { assertNewest } from '../schema-version.ts';

/** The database as it was when it was opened, read beside the process that serves it. */
export interface ReadOnlyStorage {
  readonly log: Omit<LogStore, 'saveNote' | 'saveSinkCursor'>;
  origin(): Promise<string>;
  references(digest: string): Promise<Uint8Array | null>;
  policies(digest: string): Promise<string | null>;
  /** In the order of their issuance. */
  certificates(): AsyncIterable<WholeCertificate>;
  close(): void;
}

const certificatesAtOnce = 500;

/** In this thread and at once: for a process that only verifies or copies. Throws 'store'. */
export async function openSqliteReadOnly(file: string): Promise<ReadOnlyStorage> {
  const connection = Connection.openReader(file);
  try {
    // One transaction to the end: head, entries and certificates are of the same moment.
    connection.control('begin');
    connection.perform(assertNewest());
  } catch (error) {
    connection.close();
    throw error;
  }
  const perform: Perform = async (name, argument) => {
    const { perform } = operations[name] as Kind<unknown, never>;
    return connection.perform(perform(argument));
  };
  const { head, entries, hashes, find, note, sinkCursor } = logStore(perform);
  return {
    log: { head, entries, hashes, find, note, sinkCursor },
    origin: async () => (await perform('readHead', null)).origin,
    references: (digest) => perform('references', { digest }),
    policies: (digest) => perform('policies', { digest }),
    async *certificates() {
      let afterIndex = -1;
      for (;;) {
        const page = await perform('nextCertificates', { afterIndex, limit: certificatesAtOnce });
        yield* page;
        const last = page.at(-1);
        if (last === undefined) return;
        afterIndex = last.logIndex;
      }
    },
    close: () => connection.close(),
  };
}
