import { connect, type TLSSocket } from 'node:tls';

export interface WireAnswer {
  readonly status: number;
  /** Of each name the last one, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const patienceMilliseconds = 10_000;

/** HTTP/1.1 on one TLS connection that stays, one request at a time: less work for the load generator than Node's own client. */
export class Connection {
  readonly #url: URL;
  readonly #ca: string;
  #socket: TLSSocket | null = null;
  #read: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (answer: WireAnswer) => void; reject: (error: Error) => void } | null = null;
  /** How many were opened. */
  opened = 0;

  constructor(url: string, ca: string) {
    this.#url = new URL(url);
    this.#ca = ca;
  }

  async ask(method: string, url: string, body: string): Promise<WireAnswer> {
    const socket = this.#socket ?? (await this.#open());
    const { host, pathname, search } = new URL(url);
    const type = body === '' ? '' : 'Content-Type: application/jose+json\r\n';
    const head = `${method} ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\n${type}`;
    const answer = new Promise<WireAnswer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return answer;
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #open(): Promise<TLSSocket> {
    const { hostname, port } = this.#url;
    const socket = connect({ host: hostname, port: Number(port), servername: hostname, ca: this.#ca });
    socket.setNoDelay(true);
    socket.setTimeout(patienceMilliseconds, () => socket.destroy(new Error('no answer in time')));
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    this.opened += 1;
    this.#socket = socket;
    this.#read = Buffer.alloc(0);
    socket.on('data', (part: Buffer) => {
      this.#read = this.#read.length === 0 ? part : Buffer.concat([this.#read, part]);
      const parsed = parseAnswer(this.#read);
      if (parsed === null) return;
      this.#read = this.#read.subarray(parsed.end);
      if (parsed.answer.headers['connection'] === 'close') this.#forget(socket);
      this.#waiting?.resolve(parsed.answer);
      this.#waiting = null;
    });
    let failure = new Error('the connection ended before the answer');
    socket.on('error', (error) => (failure = error));
    socket.on('close', () => {
      if (this.#socket !== socket && this.#socket !== null) return;
      this.#forget(socket);
      this.#waiting?.reject(failure);
      this.#waiting = null;
    });
    return socket;
  }

  #forget(socket: TLSSocket): void {
    if (this.#socket === socket) this.#socket = null;
  }
}

/** null: not whole yet. */
function parseAnswer(bytes: Buffer): { answer: WireAnswer; end: number } | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [first = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = Number(first.split(' ')[1]);
  const from = headEnd + 4;
  if (headers['transfer-encoding'] === 'chunked') {
    const body = parseChunks(bytes, from);
    return body === null ? null : { answer: { status, headers, text: body.text }, end: body.end };
  }
  const end = from + (status === 204 ? 0 : Number(headers['content-length'] ?? 0));
  if (bytes.length < end) return null;
  return { answer: { status, headers, text: bytes.toString('utf8', from, end) }, end };
}

function parseChunks(bytes: Buffer, from: number): { text: string; end: number } | null {
  let text = '';
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return { text, end: next };
    text += bytes.toString('utf8', lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}
