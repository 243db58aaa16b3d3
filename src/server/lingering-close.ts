import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const lingerMilliseconds = 5_000;

/**
 * RFC 9112 section 9.6: whoever closes while the peer still sends resets the connection, and the peer may never read the answer. So where the
 * answer came before the request's end, only our side is closed, and what still comes is thrown away until the peer closes as well, for a while.
 * `destroySoon` is how Node.js ends a connection behind its last answer.
 */
export function closeLingering(socket: Socket, current: () => IncomingMessage | null): void {
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    if (current()?.complete ?? true) {
      destroySoon();
      return;
    }
    socket.end();
    const cut = setTimeout(() => socket.destroy(), lingerMilliseconds);
    socket.once('close', () => clearTimeout(cut));
  };
}
