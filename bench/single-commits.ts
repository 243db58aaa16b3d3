/*
 * Loaded into `serve` by NODE_OPTIONS=--import, for its store's thread: a durable operation is asked for when the one before it has been answered, so
 * that each has a commit of its own. What group commit gains is the difference.
 */
import { isMainThread, parentPort } from 'node:worker_threads';
import { durableOperations } from '../test/faults/points.ts';

/** Of the messages between the threads (src/storage/thread/messages.ts), what is looked at. */
interface Call {
  readonly id: number;
  readonly name: string;
}
interface ToStore {
  readonly kind: string;
  readonly calls?: readonly Call[];
}
interface FromStore {
  readonly kind: string;
  readonly replies?: readonly { readonly id: number }[];
}

type Port = NonNullable<typeof parentPort>;

function patch(port: Port): void {
  const waiting: Call[] = [];
  let asked: number | null = null;
  let deliver = (_message: ToStore): void => undefined;
  const next = () => {
    const call = waiting.shift();
    asked = call?.id ?? null;
    if (call !== undefined) deliver({ kind: 'calls', calls: [call] });
  };
  const on = port.on.bind(port) as (event: string, listener: (message: ToStore) => void) => unknown;
  port.on = ((event: string, listener: (message: ToStore) => void) => {
    if (event !== 'message') return on(event, listener);
    deliver = listener;
    return on(event, (message) => {
      const { kind, calls } = message;
      if (kind !== 'calls' || calls === undefined) return listener(message);
      const others = calls.filter(({ name }) => !durableOperations.has(name));
      if (others.length > 0) listener({ kind, calls: others });
      waiting.push(...calls.filter(({ name }) => durableOperations.has(name)));
      if (asked === null) next();
    });
  }) as typeof port.on;
  const postMessage = port.postMessage.bind(port);
  port.postMessage = ((message: FromStore) => {
    postMessage(message);
    if (message.replies?.some(({ id }) => id === asked) === true) next();
  }) as typeof port.postMessage;
}

if (!isMainThread && parentPort !== null) patch(parentPort);
