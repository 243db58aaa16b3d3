import type { Asker } from './asker.ts';
import { editBytes } from './byte-edits.ts';
import type { Choices } from './choices.ts';
import { basic, lengthPlace, type Message } from './message.ts';

type Change = (choices: Choices, message: Message, asker: Asker) => void;

const set = (message: Message, name: string, value: string | null) => {
  const others = message.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  message.headers = value === null ? others : [...others, [name, value]];
};

const operations = ['cacerts', 'simpleenroll', 'simplereenroll', 'csrattrs', 'serverkeygen', 'fullcmc', ''];
const labels = ['', 'device/', 'iot/', 'constructor/', '__proto__/', '../', '//', 'device/device/'];

/** Changes one thing of it; head and framing stay what HTTP allows. */
export function changeMessage(choices: Choices, message: Message, asker: Asker): void {
  choices.weighted(changes)(choices, message, asker);
}

const changes: readonly (readonly [weight: number, change: Change])[] = [
  [
    3,
    (choices, message) => {
      message.body = choices.weighted<() => Buffer>([
        [4, () => (message.body.length === 0 ? choices.bytes(40) : editBytes(choices, message.body))],
        [1, () => choices.bytes(300)],
        [1, () => Buffer.alloc(choices.below(60_000), 'A')],
        [
          1,
          () =>
            Buffer.from(
              message.body
                .toString('latin1')
                .replaceAll('\n', '')
                .replace(/.{1,7}/g, '$& \r\n\t'),
            ),
        ],
        [1, () => Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----\n${message.body.toString('latin1')}`)],
        [1, () => Buffer.from(message.body.toString('latin1'), 'base64')],
      ])();
      if (!message.headers.some(([, value]) => value === lengthPlace)) {
        message.headers.push(['Content-Length', lengthPlace]);
      }
    },
  ],
  [
    2,
    (choices, message) => {
      const label = choices.pick(labels);
      const end = choices.pick(['', '', '?', '?a=b', '/', '%00', '#x']);
      message.target = `/.well-known/est/${label}${choices.pick(operations)}${end}`;
    },
  ],
  [
    1,
    (choices, message) => {
      message.target = choices.pick([
        `/${choices.fieldValue(60).replaceAll(' ', '+')}`,
        `https://127.0.0.1${message.target}`,
        `https://${choices.text(10).replaceAll(/[^!-~]/g, '')}/${message.target}`,
        `/${'a/'.repeat(choices.below(3000))}`,
        '*',
      ]);
    },
  ],
  [
    1,
    (choices, message) => {
      message.method = choices.pick([
        'GET',
        'POST',
        'HEAD',
        'PUT',
        'DELETE',
        'OPTIONS',
        'PATCH',
        'TRACE',
        'M-SEARCH',
      ]);
    },
  ],
  [
    2,
    (choices, message) => {
      const type = 'application/pkcs10';
      set(
        message,
        'Content-Type',
        choices.pick([
          null,
          choices.fieldValue(30),
          `${type}; charset=${choices.fieldValue(10)}`,
          type.toUpperCase(),
          'application/pkcs7-mime; smime-type=CMC-request',
          'multipart/form-data; boundary=x',
        ]),
      );
    },
  ],
  [
    3,
    (choices, message, { id, secret }) => {
      set(
        message,
        'Authorization',
        choices.weighted<() => string | null>([
          [1, () => null],
          [2, () => basic(id, secret)],
          [1, () => basic(choices.text(40), secret)],
          [1, () => basic(id, choices.text(40))],
          [1, () => basic(id, choices.latin1(300))],
          [1, () => basic(id, editBytes(choices, Buffer.from(secret)).toString('latin1'))],
          [1, () => choices.fieldValue(60)],
          [1, () => `Bearer ${choices.bytes(40).toString('base64url')}`],
          [1, () => `Basic ${Buffer.from(choices.text(200)).toString('base64')}`],
          [1, () => `Digest username="${id}", realm="Sallyport", uri="/", response="0"`],
        ])(),
      );
    },
  ],
  [
    2,
    (choices, message) => {
      const changeCase = choices.pick([
        (name: string) => name.toLowerCase(),
        (name: string) => name.toUpperCase(),
        (name: string) => name.replaceAll(/[a-z]/g, (c) => (choices.chance(0.5) ? c.toUpperCase() : c)),
      ]);
      message.headers = message.headers.map(([name, value]) => [changeCase(name), value]);
    },
  ],
  [
    2,
    (choices, message) => {
      const space = choices.pick(['', ' ', '\t', ' '.repeat(50), ' \t ']);
      message.headers = message.headers.map(([name, value]) =>
        value === lengthPlace ? [name, value] : [name, `${space}${value}${space}`],
      );
    },
  ],
  [1, (choices, message) => message.headers.sort(() => choices.between(-1, 1))],
  [2, (choices, message) => message.headers.push([`X-${choices.below(99)}`, choices.fieldValue(60)])],
  [
    1,
    (choices, message) => {
      const more = choices.below(200);
      for (let at = 0; at < more; at += 1) message.headers.push([`X-${at}`, String(at)]);
    },
  ],
  [
    2,
    (choices, message) => {
      message.headers.push(
        ...choices.pick<Message['headers']>([
          [['Expect', '100-continue']],
          [['TE', 'trailers']],
          [['Connection', 'keep-alive']],
          [['Connection', choices.fieldValue(20)]],
          [['Content-Transfer-Encoding', choices.pick(['base64', 'binary', '7bit', choices.fieldValue(10)])]],
          [['User-Agent', choices.fieldValue(40)]],
          [['Accept-Encoding', 'gzip, br, zstd']],
          [['Content-Encoding', 'gzip']],
          [
            ['X-Forwarded-For', '10.0.0.1'],
            ['Forwarded', 'for=10.0.0.1'],
          ],
          [
            ['X-Real-IP', '::1'],
            ['X-SSL-Client-Cert', choices.fieldValue(40)],
          ],
          [['Cookie', choices.fieldValue(200)]],
          [
            ['Range', 'bytes=0-10'],
            ['If-None-Match', '*'],
          ],
          [['X-HTTP-Method-Override', 'DELETE']],
        ]),
      );
    },
  ],
  // Twice the same header, with another value first or last.
  [
    2,
    (choices, message) => {
      const name = choices.pick([
        'Content-Type',
        'Authorization',
        'User-Agent',
        'Accept',
        'Content-Transfer-Encoding',
      ]);
      const header = [name, choices.fieldValue(30)] as const;
      if (choices.chance(0.5)) message.headers.push(header);
      else message.headers.unshift(header);
    },
  ],
];
