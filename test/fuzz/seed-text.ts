/** A body of base64: how its lines are broken. */
export interface BodyForm {
  /** Characters in a line; 0: one line. */
  readonly width: number;
  readonly lineEnd: 'lf' | 'crlf';
  /** Whether the last line has an end too. */
  readonly ended: boolean;
}

/** A request as a client sends it, without what is secret or of one machine or one moment. */
export interface Seed {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** null: no body. */
  readonly body: BodyForm | null;
  /** Behind the message stands one more CRLF, which RFC 9112 section 2.2 lets a server pass over: libest sends it. */
  readonly crlfBehind: boolean;
}

const lineEnds = { lf: '\n', crlf: '\r\n' } as const;

export function writeBody(base64: string, { width, lineEnd, ended }: BodyForm): string {
  const end = lineEnds[lineEnd];
  const lines = width === 0 ? [base64] : (base64.match(new RegExp(`.{1,${width}}`, 'g')) ?? []);
  return lines.join(end) + (ended ? end : '');
}

/**
 * The text of a seed's file: the head line by line, an empty line, the form of the body, and `{{crlf}}` where one stands behind it. `{{host}}`,
 * `{{authorization}}` and `{{length}}` stand for values that are of the moment.
 */
export function parseSeed(name: string, text: string): Seed {
  const [head = '', bodyText = ''] = text.split('\n\n');
  const [requestLine = '', ...lines] = head.split('\n');
  const [method = '', target = '', version = ''] = requestLine.split(' ');
  const headers = lines.map((line) => {
    const [name, value] = splitOnce(line, ': ');
    return [name, value] as const;
  });
  const form = /^(\{\{csr(?: (\d+) (lf|crlf)( ended)?)?\}\}\n)?(\{\{crlf\}\}\n)?$/.exec(bodyText);
  if (form === null) throw new Error(`${name}: ${bodyText} is no form of a body`);
  const [, csr, width = '0', lineEnd = 'lf', ended, crlf] = form;
  const body =
    csr === undefined
      ? null
      : { width: Number(width), lineEnd: lineEnd as BodyForm['lineEnd'], ended: ended !== undefined };
  return { name, method, target, version, headers, body, crlfBehind: crlf !== undefined };
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + by.length)];
}

/** The other way: what a client sent, in the text of a seed. Each request of the connection by itself. */
export function seedTexts(sent: Buffer, host: string): string[] {
  const texts: string[] = [];
  for (let rest = sent.toString('latin1'); rest !== '';) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`a head without its end: ${rest}`);
    const head = rest.slice(0, end);
    const length = Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length < length) throw new Error('a body without its end');
    rest = rest.slice(end + 4 + length);
    const crlfBehind = rest.startsWith('\r\n');
    if (crlfBehind) rest = rest.slice(2);
    const text = head
      .replaceAll('\r\n', '\n')
      .replaceAll(host, '{{host}}')
      .replace(/^(authorization: ).*$/im, '$1{{authorization}}')
      .replace(/^(content-length: ).*$/im, '$1{{length}}');
    texts.push(`${text}\n\n${body === '' ? '' : `${formText(body)}\n`}${crlfBehind ? '{{crlf}}\n' : ''}`);
  }
  return texts;
}

function formText(body: string): string {
  const lineEnd = body.includes('\r\n') ? 'crlf' : 'lf';
  const ended = body.endsWith('\n');
  const lines = body.trimEnd().split(lineEnds[lineEnd]);
  const width = lines.length === 1 ? 0 : lines[0]!.length;
  if (writeBody(lines.join(''), { width, lineEnd, ended }) !== body) {
    throw new Error(`no form for this body: ${body}`);
  }
  if (width === 0 && !ended) return '{{csr}}';
  return `{{csr ${width} ${lineEnd}${ended ? ' ended' : ''}}}`;
}
