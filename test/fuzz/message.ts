import type { BodyForm, Seed } from './seed-text.ts';
import { writeBody } from './seed-text.ts';

/** An HTTP request before it is bytes. Content-Length stands among the headers as a place that its framing fills. */
export interface Message {
  method: string;
  target: string;
  version: string;
  headers: (readonly [name: string, value: string])[];
  body: Buffer;
  readonly form: BodyForm | null;
  readonly crlfBehind: boolean;
}

export const lengthPlace = '{{length}}';

/** The seed as its client would send it now. */
export function messageOf(
  seed: Seed,
  fill: { readonly host: string; readonly authorization: string; readonly csr: Buffer },
): Message {
  const { method, target, version, body: form, crlfBehind } = seed;
  const headers = seed.headers.map(([name, value]) => {
    const filled = value.replace('{{host}}', fill.host).replace('{{authorization}}', fill.authorization);
    return [name, filled] as const;
  });
  const body = form === null ? '' : writeBody(fill.csr.toString('base64'), form);
  return { method, target, version, headers, body: Buffer.from(body), form, crlfBehind };
}

export function basic(user: string, secret: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
}

/** The head, with this framing where the length would stand (null: none), and this content. */
export function encodeMessage(
  { method, target, version, headers, crlfBehind }: Message,
  framing: string | null,
  content: Buffer,
): Buffer {
  const lines = headers.flatMap(([name, value]) =>
    value === lengthPlace ? (framing === null ? [] : [framing]) : [`${name}: ${value}`],
  );
  const head = [`${method} ${target} ${version}`, ...lines].join('\r\n');
  const behind = crlfBehind ? '\r\n' : '';
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), content, Buffer.from(behind)]);
}

/** With its length, where it has a place for one. */
export function encodeWhole(message: Message): Buffer {
  const framing = lengthHeader(message);
  return encodeMessage(message, framing, framing === null ? Buffer.alloc(0) : message.body);
}

export function lengthHeader(message: Message): string | null {
  const place = message.headers.find(([, value]) => value === lengthPlace);
  return place === undefined ? null : `${place[0]}: ${message.body.length}`;
}
