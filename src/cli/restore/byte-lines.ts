import { createReadStream } from 'node:fs';
import { SallyportError } from '#errors';
import { errorCode } from '../files.ts';

export interface ByteLine {
  /** From 1. */
  readonly number: number;
  /** null: no UTF-8, or a carriage return within. */
  readonly text: string | null;
  /** Nothing comes after it, not even the end of a line: it may be torn. */
  readonly isTorn: boolean;
}

/** An entry has 64 KiB, and six octets where each is written as an escape. */
const longest = 1024 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Lines end at LF, or at CR LF where a receiver wrote them so, and nowhere else: U+2028 in a name that somebody asked for is a character of its line.
 * Empty lines are left out. Throws 'usage' where the file cannot be read, 'log' for a line that is longer than any entry.
 */
export async function* byteLines(file: string): AsyncGenerator<ByteLine> {
  let held: Buffer[] = [];
  let length = 0;
  let number = 1;
  const take = (part: Buffer) => {
    length += part.length;
    if (length > longest) {
      throw new SallyportError('log', `${file}:${number} is longer than any entry: nothing was restored`);
    }
    held.push(part);
  };
  for await (const chunk of chunksOf(file)) {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      take(chunk.subarray(from, end));
      const line = textOf(Buffer.concat(held, length));
      if (line !== '') yield { number, text: line, isTorn: false };
      [held, length, from] = [[], 0, end + 1];
      number += 1;
    }
    take(chunk.subarray(from));
  }
  if (length > 0) yield { number, text: textOf(Buffer.concat(held, length)), isTorn: true };
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new SallyportError('usage', `${file} cannot be read (${errorCode(cause)})`, { cause });
  }
}

function textOf(line: Buffer): string | null {
  const bytes = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
  if (bytes.includes(carriageReturn)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
