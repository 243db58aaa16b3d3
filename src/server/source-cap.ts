import type { Socket } from 'node:net';
import { SallyportError } from '#errors';
import { sourceKey } from '#limits';

/** A quarter of the listener: who opens connections and says nothing needs four sources to close it, and a site behind one NAT still fits. */
const shareOfOneSource = 1 / 4;
/** A client opens several at once, so that a quarter of a very small listener would hinder an honest one. */
const leastForOneSource = 8;

const reportMilliseconds = 60_000;

/**
 * Whether a connection may stay; it is counted under its source until it closes. That a source is at its cap is reported once a minute at
 * most, of whatever source: a flood shall not fill the log.
 */
export function sourceCap(
  maximumConnections: number,
  report: (error: SallyportError) => void,
): (socket: Socket) => boolean {
  const cap = Math.max(leastForOneSource, Math.floor(maximumConnections * shareOfOneSource));
  const counts = new Map<string, number>();
  let silent = false;

  const reportCap = (source: string) => {
    if (silent) return;
    silent = true;
    setTimeout(() => (silent = false), reportMilliseconds).unref();
    const words = `${source} has ${cap} connections, the most that one source may have; further ones are closed. Where many clients share it, raise maximumConnections`;
    report(new SallyportError('too-large', words));
  };

  return (socket) => {
    // Without an address the peer is gone already.
    if (socket.remoteAddress === undefined) return false;
    const source = sourceKey(socket.remoteAddress);
    const count = counts.get(source) ?? 0;
    if (count >= cap) {
      reportCap(source);
      return false;
    }
    counts.set(source, count + 1);
    socket.once('close', () => {
      const left = counts.get(source)! - 1;
      if (left === 0) counts.delete(source);
      else counts.set(source, left);
    });
    return true;
  };
}
