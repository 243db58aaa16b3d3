import fc from 'fast-check';
import { attributeTypes, type GeneralName } from '#x509';
import { type ClientKey, type CsrSettings, csrFor, makeCsr } from './csr.ts';
import { base64 } from './est-client.ts';

/** Who may ask: valid credentials, so that requests get far. */
export interface Asker {
  readonly id: string;
  readonly secret: string;
  readonly key: ClientKey;
}

export interface FuzzRequest {
  readonly bytes: Buffer;
  /** One HTTP message with one length. What is not may be cut off, or be several. */
  readonly framed: boolean;
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const latin1 = (maxLength: number) => bytes(maxLength).map((buffer) => buffer.toString('latin1'));
/** What a header may hold: no control characters. */
const fieldValue = (maxLength: number) =>
  latin1(maxLength).map((text) => text.replaceAll(/[\u0000-\u001f\u007f]/g, '~').trim());

type Edit = readonly [kind: 'set' | 'insert' | 'delete' | 'repeat' | 'cut', at: number, byte: number];
const edits = (maxLength: number): fc.Arbitrary<readonly Edit[]> =>
  fc.array(
    fc.tuple(
      fc.constantFrom('set', 'insert', 'delete', 'repeat', 'cut'),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.oneof(fc.nat(255), fc.constantFrom(0, 10, 13, 32, 58, 0x30, 0x80, 0xff)),
    ),
    { minLength: 1, maxLength },
  );

function edited(original: Buffer, list: readonly Edit[]): Buffer {
  let result = original;
  for (const [kind, place, byte] of list) {
    const at = Math.floor(place * result.length);
    const [left, right] = [result.subarray(0, at), result.subarray(at)];
    if (kind === 'set') result = Buffer.concat([left, Buffer.of(byte), right.subarray(1)]);
    else if (kind === 'insert') result = Buffer.concat([left, Buffer.of(byte), right]);
    else if (kind === 'delete') result = Buffer.concat([left, right.subarray(1)]);
    else if (kind === 'repeat') result = Buffer.concat([left, right.subarray(0, byte), right]);
    else result = left;
  }
  return result;
}

const generalName: fc.Arbitrary<GeneralName> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('dns', 'email', 'uri'),
    value: fc.string({ minLength: 1, maxLength: 40 }),
  }),
  fc.record({ kind: fc.constant('ip'), value: fc.ipV4() }),
);

const settings: fc.Arbitrary<Omit<CsrSettings, 'key'>> = fc.record(
  {
    subject: fc.array(
      fc.record({
        type: fc.constantFrom(...Object.keys(attributeTypes)),
        value: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
      }),
      { maxLength: 5 },
    ),
    subjectAltName: fc.array(generalName, { maxLength: 5 }),
    extensions: fc.array(
      fc.record({
        oid: fc.constantFrom(
          '2.5.29.15',
          '2.5.29.17',
          '2.5.29.19',
          '2.5.29.37',
          '1.3.6.1.4.1.311.25.2',
          '1.3.6.1.4.1.311.20.2',
          '1.2.3',
        ),
        critical: fc.boolean(),
        value: bytes(40),
      }),
      { maxLength: 4 },
    ),
    challengePassword: fc.string({ minLength: 1, maxLength: 20 }),
  },
  { requiredKeys: [] },
);

/** What the writer of requests refuses to write, a client could not send either: then a plain one. */
function csrWith(asker: Asker, more: Omit<CsrSettings, 'key'>): Buffer {
  try {
    return makeCsr({ key: asker.key, ...more });
  } catch {
    return csrFor(asker.id, asker.key);
  }
}

function bodyOf(asker: Asker): fc.Arbitrary<Buffer> {
  const csr = csrFor(asker.id, asker.key);
  const text = (der: Buffer) => Buffer.from(base64(der));
  return fc.oneof(
    fc.constant(text(csr)),
    { weight: 8, arbitrary: settings.map((more) => text(csrWith(asker, more))) },
    { weight: 3, arbitrary: edits(4).map((list) => text(edited(csr, list))) },
    { weight: 2, arbitrary: edits(4).map((list) => edited(text(csr), list)) },
    bytes(300),
    fc.nat(70_000).map((length) => Buffer.alloc(length, 'A')),
  );
}

const target = fc.oneof(
  { weight: 24, arbitrary: fc.constant('/.well-known/est/simpleenroll') },
  fc
    .tuple(
      fc.constantFrom('', 'device/', 'iot/', 'constructor/', '__proto__/', '../', '//'),
      fc.constantFrom('cacerts', 'simpleenroll', 'simplereenroll', 'csrattrs', 'serverkeygen', 'fullcmc', ''),
      fc.constantFrom('', '?', '?a=b', '/', '%00', '#x'),
    )
    .map((parts) => `/.well-known/est/${parts.join('')}`),
  fc.webPath(),
  fieldValue(60).map((text) => `/${text.replaceAll(' ', '+')}`),
);

/** HEAD is left out: its answer has a length and no body. */
const method = fc.oneof(
  { weight: 12, arbitrary: fc.constant('POST') },
  fc.constantFrom(
    'GET',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'TRACE',
    'PROPFIND',
    'M-SEARCH',
    'BREW',
    'post',
  ),
);

const oneOrChanged = (usual: string, unusual: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, unusual);

function headersOf({ id, secret }: Asker): fc.Arbitrary<string[]> {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  return fc
    .tuple(
      oneOrChanged(
        'Content-Type: application/pkcs10',
        fc.oneof(
          fieldValue(30).map((type) => `Content-Type: ${type}`),
          fc.constant(''),
        ),
      ),
      oneOrChanged(
        `Authorization: ${basic(`${id}:${secret}`)}`,
        fc.oneof(
          fieldValue(60).map((value) => `Authorization: ${value}`),
          fc.string({ maxLength: 300 }).map((text) => `Authorization: ${basic(text)}`),
          fc
            .string({ unit: 'binary', maxLength: 40 })
            .map((name) => `Authorization: ${basic(`${name}:${secret}`)}`),
        ),
      ),
      fc.array(
        fieldValue(40).map((value) => `X-Fuzz: ${value}`),
        { maxLength: 3 },
      ),
      fc.constantFrom(
        '',
        'User-Agent: fuzz',
        'Content-Transfer-Encoding: base64',
        'Expect: 100-continue',
        'Accept: */*',
      ),
    )
    .map(([type, authorization, more, other]) =>
      ['Host: x', type, authorization, ...more, other].filter((line) => line !== ''),
    );
}

const message = (line: string, headers: readonly string[], body: Buffer) =>
  Buffer.concat([Buffer.from(`${line}\r\n${headers.join('\r\n')}\r\n\r\n`, 'latin1'), body]);

function chunked(body: Buffer): Buffer {
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  return Buffer.concat([
    ...(body.length === 0 ? [] : [size, body, Buffer.from('\r\n')]),
    Buffer.from('0\r\n\r\n'),
  ]);
}

/** Requests near to those that an asker would send. */
export function fuzzRequest(asker: Asker): fc.Arbitrary<FuzzRequest> {
  const parts = fc.tuple(method, target, headersOf(asker), bodyOf(asker));
  const framed = parts.chain(([verb, path, headers, body]) =>
    fc.boolean().map((chunks): FuzzRequest => {
      const framing = chunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
      const content = chunks ? chunked(body) : body;
      return { bytes: message(`${verb} ${path} HTTP/1.1`, [...headers, framing], content), framed: true };
    }),
  );
  const misframed = parts.chain(([verb, path, headers, body]) =>
    fieldValue(6).map((length): FuzzRequest => {
      return {
        bytes: message(`${verb} ${path} HTTP/1.1`, [...headers, `Content-Length: ${length}`], body),
        framed: false,
      };
    }),
  );
  const damaged = fc.tuple(framed, edits(6)).map(([request, list]): FuzzRequest => {
    return { bytes: edited(request.bytes, list), framed: false };
  });
  return fc.oneof({ weight: 5, arbitrary: framed }, misframed, { weight: 2, arbitrary: damaged });
}
