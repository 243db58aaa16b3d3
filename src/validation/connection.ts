import { addAbortListener } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { type Failure, failsForNow, fails } from './outcome.ts';
import type { Place } from './place.ts';

export interface Connection {
  /** Destroyed at the end of the attempt; its errors are heard. */
  readonly socket: Socket;
  readonly address: string;
}

/** How a failure names whom we asked for, and an address of it. */
export interface Peer {
  readonly name: string;
  readonly at: (address: string) => string;
}

const maximumAddresses = 4;

/**
 * To the first address that takes it, and to no other than those given: nothing is resolved here. An address that is not permitted is not
 * connected to, and its refusal says the same whatever it is and whoever listens there.
 */
export async function openConnection(
  addresses: readonly string[],
  port: number,
  peer: Peer,
  place: Place,
): Promise<Connection | Failure> {
  const version = isIP(place.localAddress ?? '');
  const permitted = new Set(
    addresses
      .map(place.permitted)
      .filter((address) => address !== null)
      .filter((address) => version === 0 || isIP(address) === version),
  );
  let failure = fails('connection', `${peer.name} has no address that this server may connect to`);
  for (const address of [...permitted].slice(0, maximumAddresses)) {
    if (place.signal.aborted) break;
    place.connectedTo.push(address);
    const opened = await connectTo(address, port, place);
    if (typeof opened !== 'string') return { socket: opened, address };
    failure = failsForNow('connection', wordsOf(opened, peer.at(address), port));
  }
  return failure;
}

/** The code of what failed where none was made. */
function connectTo(address: string, port: number, place: Place): Promise<Socket | string> {
  const { localAddress, connectMilliseconds, signal } = place;
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, ...(localAddress === null ? {} : { localAddress }) });
    const limit = setTimeout(() => end('ETIMEDOUT'), connectMilliseconds);
    const atEnd = addAbortListener(signal, () => end('ETIMEDOUT'));
    const end = (code: string) => {
      resolve(code);
      socket.destroy();
    };
    socket.on('error', (error) => end('code' in error ? String(error.code) : error.name));
    socket.once('connect', () => {
      clearTimeout(limit);
      resolve(socket);
    });
    socket.once('close', () => {
      clearTimeout(limit);
      atEnd[Symbol.dispose]();
    });
  });
}

function wordsOf(code: string, peer: string, port: number): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `${peer} refuses connections to port ${port}`;
    case 'ETIMEDOUT':
      return `no connection to port ${port} of ${peer} in time`;
    default:
      return `no connection to port ${port} of ${peer}`;
  }
}
