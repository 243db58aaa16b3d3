import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Blob, CompactRange, documentOf, formatCheckpoint, leafHash, signNote } from '#audit';
import { loadConfiguration, readSecret } from '#config';
import { type AuthorityEntry, type Entry, newEntry, readEntry } from '#enrollment';
import { loadSoftwareKey } from '#keys';
import type { AuthorityFiles, Cleanup } from './authority.ts';

/** A copy of an authority that stands still, in the hands of somebody who can write all of its files. */
export class TamperedAuthority {
  readonly directory: string;
  readonly configuration: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.configuration = path.join(directory, 'sallyport.yaml');
  }

  static async copyOf({ directory }: Pick<AuthorityFiles, 'directory'>, cleanup: Cleanup) {
    const parent = await mkdtemp(path.join(tmpdir(), 'sallyport-tampered-'));
    cleanup.after(() => rm(parent, { recursive: true, force: true }));
    const copy = path.join(parent, 'authority');
    await cp(directory, copy, { recursive: true });
    return new TamperedAuthority(copy);
  }

  get databaseFile(): string {
    return path.join(this.directory, 'data/sallyport.db');
  }

  get checkpointFile(): string {
    return path.join(this.directory, 'log/checkpoint');
  }

  write<Result>(work: (database: DatabaseSync) => Result): Result {
    const database = new DatabaseSync(this.databaseFile);
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  /** The first entry of which this is true. */
  indexOf(found: (entry: Record<string, unknown>) => boolean): number {
    const rows = this.write((database) =>
      database.prepare('select idx, bytes from log_entry order by idx').all(),
    );
    const row = rows.find(({ bytes }) => found(parseEntry(bytes)));
    if (row === undefined) throw new Error('the log has no such entry');
    return row['idx'] as number;
  }

  /** Writes an entry anew, its personal fields with it. The hashes stay as they were. */
  rewriteEntry(index: number, change: (entry: Record<string, unknown>) => Record<string, unknown>): void {
    this.write((database) => {
      const row = database.prepare('select bytes from log_entry where idx = ?').get(index)!;
      const leaf = row['bytes'] as Uint8Array;
      const rows = database.prepare('select address, salt, bytes from blob where log_idx = ?').all(index);
      const beside = rows as unknown as Blob[];
      const document = documentOf(parseEntry(leaf), beside);
      const { entry } = readEntry(leaf, beside);
      const { bytes, blobs } = newEntry(change(entry) as unknown as Entry, randomBytes);
      database.prepare('update log_entry set bytes = ? where idx = ?').run(bytes, index);
      if (document !== null) {
        database.prepare('delete from blob where log_idx = ? and address = ?').run(index, document.address);
      }
      const insert = database.prepare('insert into blob (log_idx, address, salt, bytes) values (?, ?, ?, ?)');
      for (const blob of blobs) insert.run(index, blob.address, blob.salt, blob.bytes);
    });
  }

  /** More events at the end of the log. Of its hashes only theirs are written. */
  append(events: readonly Pick<AuthorityEntry, 'event' | 'detail'>[]): void {
    this.write((database) => {
      let index = Number(database.prepare('select size from log_head').get()!['size']);
      const insert = database.prepare(
        'insert into log_entry (idx, id, leaf_hash, bytes) values (?, ?, ?, ?)',
      );
      database.exec('begin');
      for (const event of events) {
        const id = `E-${index}`;
        const { bytes } = newEntry({ type: 'authority', version: 2, id, time: 0, ...event }, randomBytes);
        insert.run(index, id, leafHash(bytes), bytes);
        index += 1;
      }
      database.exec('commit');
    });
  }

  /** Leaf hashes, the hashes above them and the head, as if the log had always been what it is now. Returns its size and root. */
  rehash(): { size: number; root: Uint8Array } {
    return this.write((database) => {
      const range = CompactRange.empty();
      database.exec('begin; delete from log_hash');
      for (const { idx, bytes } of database.prepare('select idx, bytes from log_entry order by idx').all()) {
        const leaf = leafHash(bytes as Uint8Array);
        database.prepare('update log_entry set leaf_hash = ? where idx = ?').run(leaf, idx as number);
        for (const { level, index, hash } of range.append(leaf)) {
          database.prepare('insert into log_hash values (?, ?, ?)').run(level, index, hash);
        }
      }
      database.prepare('update log_head set size = ?, hashes = ?').run(range.size, range.toBytes());
      database.exec('commit');
      return { size: range.size, root: range.root() };
    });
  }

  /** With the log's own key: what not even the writer of the database has. */
  async signCheckpoint(head: { size: number; root: Uint8Array }): Promise<void> {
    const { log, directory } = loadConfiguration(this.configuration, process.env);
    const passphrase = readSecret(log.key.passphrase, directory, process.env);
    const key = await loadSoftwareKey(await readFile(log.key.file, 'utf8'), passphrase);
    const note = await signNote(formatCheckpoint({ origin: log.origin, ...head }), { name: log.origin, key });
    await writeFile(this.checkpointFile, note);
    this.write((database) => database.prepare('update log_note set size = ?, note = ?').run(head.size, note));
  }
}

function parseEntry(bytes: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(bytes as Uint8Array).toString('utf8')) as Record<string, unknown>;
}
