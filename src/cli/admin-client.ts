import { request } from 'node:http';
import type { ActInput, ActName, ActResult } from '#admin';
import { type ErrorCode, SallyportError } from '#errors';

const usualMilliseconds = 120_000;
/**
 * For an erasure the whole log is read: a minute or two for a million entries, more where the machine has other work. An import waits for its
 * turn among all writers, part by part.
 */
const longMilliseconds = 3_600_000;

/** The other end of the socket. */
export class AdminClient {
  readonly #socket: string;
  readonly #token: string;

  constructor(options: { socket: string; token: string }) {
    this.#socket = options.socket;
    this.#token = options.token;
  }

  /** Throws what the authority refused with, under the same code; 'store' when it cannot be reached. */
  async perform<Name extends ActName>(name: Name, input: ActInput<Name>): Promise<ActResult<Name>> {
    const { requestFor } = await import('#admin');
    const { method, path, body } = requestFor(name, input);
    const isLong = name === 'eraseDevice' || name === 'importDevices';
    const patience = isLong ? longMilliseconds : usualMilliseconds;
    const { status, bytes } = await this.#exchange(method, path, body, patience);
    const value = parseAnswer(bytes);
    if (status !== 200) throw await refusal(status, value);
    // Both ends are one program of one owner: the answer has the shape that this version's act gives.
    return value as ActResult<Name>;
  }

  /** A resource of the tiled log, by its path below the prefix; null: there is none. */
  async logDocument(path: string): Promise<Uint8Array | null> {
    const { status, bytes } = await this.#exchange('GET', `/log/${path}`, null);
    if (status === 404) return null;
    if (status !== 200) throw await refusal(status, parseAnswer(bytes));
    return bytes;
  }

  #exchange(
    method: string,
    path: string,
    body: string | null,
    patience = usualMilliseconds,
  ): Promise<{ status: number; bytes: Uint8Array }> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    if (body !== null) headers['content-type'] = 'application/json';
    return new Promise((resolve, reject) => {
      const call = request(
        // On a connection of its own: one that is kept may have been closed by the other end while this process stood still.
        { socketPath: this.#socket, method, path, headers, timeout: patience, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }),
          );
          response.once('error', reject);
        },
      );
      call.once('timeout', () => call.destroy(new Error(`no answer within ${patience / 60_000} minutes`)));
      call.once('error', (cause) => reject(this.#unreachable(cause)));
      call.end(body ?? undefined);
    });
  }

  #unreachable(cause: Error): SallyportError {
    const words = `the authority does not answer on ${this.#socket}; start it with \`sallyport serve\`, or name its configuration with --config`;
    return new SallyportError('store', words, { cause });
  }
}

function parseAnswer(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new SallyportError('internal', 'the authority answered with something else than JSON', { cause });
  }
}

async function refusal(status: number, value: unknown): Promise<SallyportError> {
  const { statusOf } = await import('#admin');
  const problem = typeof value === 'object' && value !== null ? value : {};
  const code = 'code' in problem && isOneOf(statusOf, problem.code) ? problem.code : 'internal';
  const detail =
    'detail' in problem && typeof problem.detail === 'string' ? problem.detail : `HTTP status ${status}`;
  return new SallyportError(code, detail);
}

function isOneOf(codes: Readonly<Record<ErrorCode, number>>, value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(codes, value);
}
