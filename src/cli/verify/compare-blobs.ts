import { documentOf, type LogReader, type StoredBlob, tileWidth, verifyBlob } from '#audit';
import type { RequestEntry } from '#enrollment';
import { isSallyportError } from '#errors';

type Report = (index: number | null, message: string) => void;

/** What an entry's leaf names beside it. */
export interface NamingBlobs {
  readonly sealed?: unknown;
  readonly certificationRequest?: RequestEntry['certificationRequest'];
  readonly evidence?: RequestEntry['evidence'];
}

/** What is kept beside an entry is what the entry names, and all of it. Entries come in order, and are read as many at a time as a tile has. */
export class BlobComparison {
  readonly #log: Pick<LogReader, 'blobs'>;
  readonly #report: Report;
  #read = { from: 0, to: 0, blobs: new Map<number, readonly StoredBlob[]>() };

  constructor(log: Pick<LogReader, 'blobs'>, report: Report) {
    this.#log = log;
    this.#report = report;
  }

  /** What is kept beside the entry. */
  async beside(index: number): Promise<readonly StoredBlob[]> {
    if (index < this.#read.from || index >= this.#read.to) {
      const [from, to] = [index, index + tileWidth];
      const blobs = Map.groupBy(await this.#log.blobs(from, to), (blob) => blob.index);
      this.#read = { from, to, blobs };
    }
    return this.#read.blobs.get(index) ?? [];
  }

  /** True: nothing that it names is there, as after an erasure; whether there was one, others find out. */
  async entry(index: number, leaf: NamingBlobs): Promise<boolean> {
    const blobs = await this.beside(index);
    const document = documentOf(leaf, blobs);
    const { certificationRequest, evidence } = leaf;
    const [kept, what] =
      evidence === undefined
        ? [certificationRequest ?? null, 'certification request']
        : [evidence, 'evidence'];
    const named = blobs.filter(({ address }) => Buffer.from(address).toString('hex') === kept?.blob);
    const isWithout = leaf.sealed !== undefined && document === null;
    const isAbsent = isWithout && named.length === 0;
    if (isWithout && !isAbsent) {
      this.#report(index, `its personal fields are not there, and its ${what} is`);
    }
    if (kept !== null && named.length === 0 && !isAbsent) {
      this.#report(index, `the ${what} that it names is not there`);
    }
    if (blobs.length > named.length + (document === null ? 0 : 1)) {
      this.#report(index, 'something is kept beside it that it does not name');
    }
    for (const blob of named) {
      try {
        verifyBlob(blob);
      } catch (error) {
        if (!isSallyportError(error)) throw error;
        this.#report(index, `its ${what} was changed`);
      }
    }
    return isAbsent;
  }
}
