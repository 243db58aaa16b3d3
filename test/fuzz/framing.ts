import { editBytes } from './byte-edits.ts';
import type { Choices } from './choices.ts';
import { encodeMessage, encodeWhole, lengthHeader, lengthPlace, type Message } from './message.ts';

/**
 * What is written at once.
 * - 'each': so many messages, each with one length and a head that HTTP allows: an answer is owed to each.
 * - 'one': one message at most, which the HTTP parser may refuse: an answer, or the end.
 * - 'any': cut off, or without one length: any number of messages, and any number of answers.
 */
export interface Exchange {
  readonly bytes: Buffer;
  readonly owed: 'each' | 'one' | 'any';
  /** The methods of its messages, since an answer to HEAD has no body. */
  readonly methods: readonly string[];
}

export function whole(choices: Choices, message: Message): Exchange {
  const inChunks = lengthHeader(message) !== null && choices.chance(0.2);
  const bytes = inChunks
    ? encodeMessage(message, 'Transfer-Encoding: chunked', chunked(choices, message.body))
    : encodeWhole(message);
  return { bytes, owed: 'each', methods: [message.method] };
}

/** RFC 9112 section 7.1, with extensions and trailers where chance has it. */
function chunked(choices: Choices, body: Buffer): Buffer {
  const parts: (Buffer | string)[] = [];
  for (let at = 0; at < body.length;) {
    const size = Math.max(1, choices.chance(0.5) ? body.length : choices.below(100));
    const chunk = body.subarray(at, at + size);
    const extension = choices.chance(0.1) ? `;a=${choices.below(1000)}` : '';
    const zeros = choices.chance(0.1) ? '00' : '';
    parts.push(`${zeros}${chunk.length.toString(16)}${extension}\r\n`, chunk, '\r\n');
    at += size;
  }
  const trailer = choices.chance(0.1) ? 'X-Trailer: yes\r\nAuthorization: Basic eDp5\r\n' : '';
  parts.push(`0\r\n${trailer}\r\n`);
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

export function pipelined(choices: Choices, messages: readonly Message[]): Exchange {
  const exchanges = messages.map((message) => whole(choices, message));
  return {
    bytes: Buffer.concat(exchanges.map(({ bytes }) => bytes)),
    owed: 'each',
    methods: exchanges.flatMap(({ methods }) => methods),
  };
}

export function damaged(choices: Choices, message: Message): Exchange {
  return { bytes: editBytes(choices, whole(choices, message).bytes, 6), owed: 'any', methods: [] };
}

/** One message, with something in its head or body that a server may refuse before anything else. */
export function refusable(choices: Choices, message: Message): Exchange {
  const text = () => whole(choices, message).bytes.toString('latin1');
  const headOnly = (change: (head: string) => string) => {
    const bytes = text();
    const end = bytes.indexOf('\r\n\r\n');
    return `${change(bytes.slice(0, end))}${bytes.slice(end)}`;
  };
  const written = choices.pick<() => string>([
    // RFC 9112 section 5.2: obs-fold.
    () => headOnly((head) => head.replace(/\r\n([^:]*): /g, '\r\n$1:\r\n ')),
    () => headOnly((head) => head.replace(/\r\n([^:]*): /, '\r\n$1 : ')),
    () => headOnly((head) => `${head}\r\nX-Huge: ${'h'.repeat(choices.between(8000, 40_000))}`),
    () => headOnly((head) => head + Array.from({ length: 2500 }, (_, at) => `\r\nA${at}: 1`).join('')),
    () => headOnly((head) => `${head}\r\nX-Control: ${String.fromCharCode(choices.below(32))}`),
    () => headOnly((head) => `${head}\r\n${choices.fieldValue(10)}: x`),
    () => headOnly((head) => head.replace('\r\n', `\r\n${choices.latin1(20).replaceAll(/[\r\n]/g, '')}\r\n`)),
    () => headOnly((head) => head.replaceAll('\r\n', '\n')),
    () => headOnly((head) => head.replace(/\r\nHost: [^\r]*/, '')),
    () => headOnly((head) => `${head}\r\nHost: other.example`),
    () =>
      headOnly((head) =>
        head.replace(
          / HTTP\/1\.1/,
          choices.pick([' HTTP/1.0', ' HTTP/2.0', ' HTTP/0.9', '', ' http/1.1', ' HTTP/1.1 ']),
        ),
      ),
    () =>
      headOnly((head) =>
        head.replace(
          /^\S+/,
          choices.pick([
            'BREW',
            'post',
            'CONNECT',
            '',
            'PRI',
            'SOURCE',
            choices.latin1(8).replaceAll(/[\r\n]/g, ''),
          ]),
        ),
      ),
    () => '\r\n\r\n'.repeat(choices.between(1, 20)) + text(),
    () => headOnly((head) => `${head}\r\nExpect: ${choices.fieldValue(20)}`),
    () =>
      headOnly(
        (head) =>
          `${head}\r\nConnection: Upgrade\r\nUpgrade: ${choices.pick(['h2c', 'websocket', 'TLS/1.3'])}`,
      ),
    () => {
      message.body = Buffer.alloc(choices.between(65_537, 200_000), 'A');
      return text();
    },
  ])();
  return { bytes: Buffer.from(written, 'latin1'), owed: 'one', methods: [message.method] };
}

/** More than one length, a wrong one, or none; more bytes than there should be, or fewer. */
export function misframed(choices: Choices, message: Message): Exchange {
  const { body } = message;
  const length = `Content-Length: ${body.length}`;
  if (lengthHeader(message) === null) message.headers.push(['Content-Length', lengthPlace]);
  const chunks = () => chunked(choices, body);
  const bytes = choices.pick<() => Buffer>([
    () => encodeMessage(message, `Content-Length: ${choices.fieldValue(6)}`, body),
    () => encodeMessage(message, `Content-Length: ${body.length + choices.between(-20, 20)}`, body),
    () =>
      encodeMessage(
        message,
        `Content-Length: ${choices.pick(['-1', '+5', '0x10', '1e3', '99999999999999999999', '5, 5'])}`,
        body,
      ),
    () => encodeMessage(message, `${length}\r\nContent-Length: ${choices.below(1000)}`, body),
    () => encodeMessage(message, `${length}\r\nTransfer-Encoding: chunked`, chunks()),
    () => encodeMessage(message, `Transfer-Encoding: chunked\r\n${length}`, body),
    () =>
      encodeMessage(
        message,
        `Transfer-Encoding: ${choices.pick(['identity', 'gzip', 'gzip, chunked', 'chunked, chunked', 'Chunked', ' chunked', 'chunked;q=1', choices.fieldValue(10)])}`,
        chunks(),
      ),
    () => encodeMessage(message, 'Transfer-Encoding: chunked', editBytes(choices, chunks(), 3)),
    () => encodeMessage(message, null, body),
    () => Buffer.concat([encodeMessage(message, length, body), choices.bytes(100)]),
    () => {
      const bytes = encodeMessage(message, length, body);
      return bytes.subarray(0, choices.below(bytes.length));
    },
    () => choices.bytes(2000),
  ])();
  return { bytes, owed: 'any', methods: [] };
}
