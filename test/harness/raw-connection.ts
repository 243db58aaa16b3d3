import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

export interface RawAnswer {
  readonly status: number;
  /** In order and in the case in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface RawTarget {
  /** http: or https:; only host and port count. */
  readonly url: string;
  readonly trust: string;
  readonly localAddress?: string;
  readonly tls?: ConnectionOptions;
}

const lastChunk = '0\r\n\r\n'.length;

/** A connection on which any bytes can be sent, and HTTP answers are read by hand. */
export class RawConnection {
  readonly socket: Socket;
  /** The peer broke off: what it had answered may be lost (RFC 9112 section 9.6). */
  wasReset = false;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (part: Buffer) => {
      this.#received = Buffer.concat([this.#received, part]);
      this.#wake();
    });
    const ended = () => {
      this.#ended = true;
      this.#wake();
    };
    // Whoever is cut off in the middle of writing gets an error beside what was answered.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.wasReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      ended();
    });
    socket.on('end', ended);
    socket.on('close', ended);
  }

  /** Rejects when there is no connection or no handshake. */
  static async open({ url, trust, localAddress, tls = {} }: RawTarget): Promise<RawConnection> {
    const { protocol, hostname: host, port: portText } = new URL(url);
    const where = { host, port: Number(portText), ...(localAddress === undefined ? {} : { localAddress }) };
    return new Promise((resolve, reject) => {
      const plain = connectPlain({ ...where, allowHalfOpen: true });
      plain.once('error', reject);
      if (protocol === 'http:') plain.once('connect', () => resolve(new RawConnection(plain)));
      else {
        const socket = connectTls({ ...tls, socket: plain, ca: trust }, () =>
          resolve(new RawConnection(socket)),
        );
        socket.once('error', reject);
      }
    });
  }

  write(bytes: string | Uint8Array): void {
    if (this.socket.writable) {
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    }
  }

  /** The next final answer; null when the connection ended without one. That to HEAD has a length and no body. */
  async answer(withinMilliseconds = 10_000, method = ''): Promise<RawAnswer | null> {
    const deadline = AbortSignal.timeout(withinMilliseconds);
    deadline.addEventListener('abort', () => this.#wake());
    for (;;) {
      const answer = this.#take(method === 'HEAD');
      if (answer !== null && answer.status >= 200) return answer;
      if (answer !== null) continue;
      if (this.#ended) return null;
      if (deadline.aborted) throw new Error(`no answer and no end in ${withinMilliseconds} ms`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #take(bodiless: boolean): RawAnswer | null {
    const text = this.#received.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
    const headers = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    });
    const header = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
    // What Node.js answers by itself has no body, and says so by an empty chunk.
    const length =
      header('transfer-encoding') === 'chunked' ? lastChunk : Number(header('content-length') ?? 0);
    const bodyEnd = end + 4 + (bodiless ? 0 : length);
    if (text.length < bodyEnd) return null;
    this.#received = this.#received.subarray(bodyEnd);
    const body = text.slice(end + 4, bodyEnd);
    return { status: Number(statusLine.split(' ')[1]), headers, body };
  }
}

/** One connection, these bytes, one answer. */
export async function exchange(target: RawTarget, bytes: string | Uint8Array): Promise<RawAnswer | null> {
  const connection = await RawConnection.open(target);
  try {
    connection.write(bytes);
    return await connection.answer();
  } finally {
    connection.close();
  }
}
