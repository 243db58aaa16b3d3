import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** More than any client sends ahead, and few enough to be remembered for every connection. */
const mostWaiting = 16;

/** A request that was read, and has not been begun. */
interface Waiting {
  readonly response: ServerResponse;
  readonly begin: () => void;
}

/**
 * The requests of one connection, one at a time. Node.js begins all that one read brings, hundreds of them; then what an answer decides comes
 * too late for those behind it, and who reads no answers has them piled up here.
 */
export class Turns {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #request: IncomingMessage | null = null;
  #end: (() => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Node.js resumes the socket whenever it has read a request, or part of one.
    socket.on('resume', () => {
      if (this.#waiting.length > 0) socket.pause();
    });
  }

  /** The one whose turn it is. */
  get request(): IncomingMessage | null {
    return this.#request;
  }

  /** Begins the request when those before it are answered. Never, where the connection has ended by then. */
  take(response: ServerResponse, begin: () => void): void {
    if (this.#ended || this.#waiting.length === mostWaiting) {
      // RFC 9112 section 9.3.2: who sends ahead must be prepared to ask again.
      this.#socket.destroy();
    } else if (this.#request === null) {
      this.#begin({ response, begin });
    } else {
      this.#waiting.push({ response, begin });
      this.#socket.pause();
    }
  }

  /** What follows is no request: `end` comes when those before it are answered. */
  endWith(end: () => void): void {
    if (this.#request === null) end();
    else this.#end = end;
  }

  #begin({ response, begin }: Waiting): void {
    this.#request = response.req;
    response.once('close', () => this.#next());
    begin();
  }

  #next(): void {
    this.#request = null;
    if (this.#ended) this.#waiting.length = 0;
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#end?.();
      return;
    }
    if (this.#waiting.length === 0) this.#socket.resume();
    this.#begin(next);
  }

  /** The peer has gone, or the answer before was the last one of this connection. */
  get #ended(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }
}
