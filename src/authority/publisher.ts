import { demandUnbroken, type Publication, publishCheckpoint, type TreeHead } from '#audit';
import { isSallyportError, type SallyportError } from '#errors';

/** Publishes the log of a running authority, and remembers what was published. */
export interface Publisher {
  /** Resolves when the database no longer holds the log that was published: whatever it says is not to be believed, and nothing more is signed. */
  readonly failed: Promise<SallyportError>;
  /** Signs the head when it has moved. Throws 'log' where the log is another one, 'store' where that cannot be found out now. */
  publish(): Promise<void>;
  /** Before something is signed by what the database says. Throws as `publish` does. */
  demandUnbroken(): Promise<void>;
}

/** @param published what was published last; null: nothing that this process knows of */
export function openPublisher(publication: Publication, published: TreeHead | null): Publisher {
  const { promise: failed, resolve } = Promise.withResolvers<SallyportError>();
  let known = published;
  let broken: SallyportError | null = null;
  const watched = async (work: () => Promise<TreeHead | null>) => {
    // Once it was another one it stays so, whatever is put back: nobody knows what was done in between.
    if (broken !== null) throw broken;
    try {
      return await work();
    } catch (error) {
      if (isSallyportError(error, 'log')) {
        broken = error;
        resolve(error);
      }
      throw error;
    }
  };
  return {
    failed,
    async publish() {
      known = await watched(() => publishCheckpoint(known, publication));
    },
    async demandUnbroken() {
      await watched(async () => known && demandUnbroken(known, publication.log));
    },
  };
}
