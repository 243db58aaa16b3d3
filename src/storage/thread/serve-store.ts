import { parentPort, workerData } from 'node:worker_threads';
import type { StorageStats } from '../storage.ts';
import { faultOf } from './fault.ts';
import type { Call, FromStore, Reply, ToStore } from './messages.ts';

/** A database as its own thread serves it. */
export interface ServedStore {
  /** Answers each call once, in whatever order. What comes in one message came in one turn of the asker's event loop. */
  perform(calls: readonly Call[], answer: (replies: readonly Reply[]) => void): void;
  stats(): StorageStats;
  /** The database's own clock, milliseconds since the epoch, where it has one. */
  time?(): Promise<number>;
  /** Completes what was asked before, and closes the database. */
  close(): Promise<void>;
}

/** The thread's own end: what a worker module runs. Does nothing where the module is loaded but not as a thread. */
export async function serveStore(
  open: (options: unknown) => ServedStore | Promise<ServedStore>,
): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const tell = (message: FromStore) => port.postMessage(message);
  let store: ServedStore;
  try {
    store = await open(workerData);
  } catch (error) {
    tell({ kind: 'refused', fault: faultOf(error) });
    port.close();
    return;
  }
  const answer = (replies: readonly Reply[]) => tell({ kind: 'replies', replies });
  const tellTime = async () => {
    try {
      tell({ kind: 'time', time: (await store.time?.()) ?? null });
    } catch {
      tell({ kind: 'time', time: null });
    }
  };
  const close = async () => {
    await store.close();
    tell({ kind: 'closed' });
    port.close();
  };
  port.on('message', (message: ToStore) => {
    switch (message.kind) {
      case 'calls':
        store.perform(message.calls, answer);
        break;
      case 'stats':
        tell({ kind: 'stats', stats: store.stats() });
        break;
      case 'time':
        void tellTime();
        break;
      case 'close':
        void close();
        break;
    }
  });
  tell({ kind: 'opened' });
}
