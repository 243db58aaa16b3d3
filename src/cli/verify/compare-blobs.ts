import { type LogReader, type StoredBlob, tileWidth, verifyBlob } from '#audit';
import type { RequestEntry } from '#enrollment';
import { isSallyportError } from '#errors';

type Report = (index: number | null, message: string) => void;

/** What is kept beside an entry is what the entry names, and all of it. Entries come in order, and are read as many at a time as a tile has. */
export class BlobComparison {
  readonly #log: Pick<LogReader, 'blobs'>;
  readonly #report: Report;
  #read = { from: 0, to: 0, blobs: [] as readonly StoredBlob[] };

  constructor(log: Pick<LogReader, 'blobs'>, report: Report) {
    this.#log = log;
    this.#report = report;
  }

  async entry(index: number, kept: RequestEntry['certificationRequest']): Promise<void> {
    const blobs = await this.#besides(index);
    const named = blobs.filter(({ address }) => Buffer.from(address).toString('hex') === kept?.blob);
    if (kept !== null && named.length === 0) {
      this.#report(index, 'the certification request that it names is not there');
    }
    if (blobs.length > named.length) this.#report(index, 'something is kept beside it that it does not name');
    for (const blob of named) {
      try {
        verifyBlob(blob);
      } catch (error) {
        if (!isSallyportError(error)) throw error;
        this.#report(index, 'its certification request was changed');
      }
    }
  }

  async #besides(index: number): Promise<readonly StoredBlob[]> {
    if (index < this.#read.from || index >= this.#read.to) {
      const [from, to] = [index, index + tileWidth];
      this.#read = { from, to, blobs: await this.#log.blobs(from, to) };
    }
    return this.#read.blobs.filter((blob) => blob.index === index);
  }
}
