import { parentPort, workerData } from 'node:worker_threads';
import { openLog } from '../operations/log.ts';
import { Connection } from './connection.ts';
import { faultOf } from './fault.ts';
import type { Call, FromWriter, ToWriter, WriterOptions } from './messages.ts';
import { upgrade } from './upgrade.ts';
import { Writer } from './writer.ts';

/** How long a lazy write may wait for a durable one to share its sync with. */
const lazyMilliseconds = 50;

/** The thread that owns the only writing connection. */
function serve(port: NonNullable<typeof parentPort>): void {
  const { file, origin } = workerData as WriterOptions;
  const tell = (message: FromWriter) => port.postMessage(message);
  let connection: Connection;
  try {
    connection = openDatabase(file, origin);
  } catch (error) {
    tell({ kind: 'refused', fault: faultOf(error) });
    port.close();
    return;
  }
  const writer = new Writer(connection);
  let waiting: Call[] = [];
  let flushing: NodeJS.Timeout | undefined;

  const performWaiting = () => {
    if (waiting.length === 0) return;
    const calls = waiting;
    waiting = [];
    tell({ kind: 'replies', replies: writer.perform(calls) });
    if (writer.waiting) {
      flushing ??= setTimeout(() => {
        flushing = undefined;
        writer.flush();
      }, lazyMilliseconds);
    }
  };
  const close = () => {
    performWaiting();
    clearTimeout(flushing);
    writer.flush();
    connection.close();
    tell({ kind: 'closed' });
    port.close();
  };
  port.on('message', (message: ToWriter) => {
    switch (message.kind) {
      case 'calls':
        // All that arrives before the event loop turns shares one transaction.
        if (waiting.length === 0) setImmediate(performWaiting);
        for (const call of message.calls) waiting.push(call);
        break;
      case 'stats':
        performWaiting();
        tell({ kind: 'stats', stats: writer.stats });
        break;
      case 'close':
        close();
        break;
    }
  });
  tell({ kind: 'opened' });
}

function openDatabase(file: string, origin: string): Connection {
  const connection = Connection.openWriter(file);
  upgrade(connection);
  connection.control('begin immediate');
  connection.perform(openLog({ origin }));
  connection.control('commit');
  return connection;
}

// Null where the module is loaded but not as a thread.
if (parentPort !== null) serve(parentPort);
