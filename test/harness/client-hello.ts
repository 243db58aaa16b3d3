import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

const handshake = 22;
const alert = 21;

export interface ClientHello {
  /** The newest version that the client speaks, as TLS writes it: 0x0302 is 1.1, 0x0303 is 1.2. */
  readonly version: number;
  /** Cipher suites by their numbers at IANA. */
  readonly suites: readonly number[];
}

/** How a server answers a ClientHello: what no client library offers any more has to be written by hand. */
export async function answerTo(hello: ClientHello, url: string): Promise<'ServerHello' | 'alert' | 'closed'> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port) });
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer in 10 s')));
  try {
    await once(socket, 'connect');
    socket.write(encode(hello));
    const [first] = (await Promise.race([once(socket, 'data'), once(socket, 'end')])) as [Buffer?];
    if (first === undefined) return 'closed';
    if (first[0] === alert) return 'alert';
    if (first[0] === handshake && first[5] === 2) return 'ServerHello';
    throw new Error(`a record of type ${first[0]}`);
  } finally {
    socket.destroy();
  }
}

/** RFC 5246 section 7.4.1.2, with the extensions that ECDHE needs. */
function encode({ version, suites }: ClientHello): Buffer {
  const groups = extension(10, vector(2, number(2, 0x001d), number(2, 0x0017)));
  const pointFormats = extension(11, vector(1, number(1, 0)));
  const signatures = extension(
    13,
    vector(2, ...[0x0403, 0x0804, 0x0401, 0x0201].map((each) => number(2, each))),
  );
  const body = Buffer.concat([
    number(2, version),
    randomBytes(32),
    vector(1),
    vector(2, ...suites.map((suite) => number(2, suite))),
    vector(1, number(1, 0)),
    vector(2, groups, pointFormats, signatures),
  ]);
  const message = Buffer.concat([number(1, 1), vector(3, body)]);
  return Buffer.concat([number(1, handshake), number(2, 0x0301), vector(2, message)]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([number(2, type), vector(2, content)]);
}

function vector(lengthOctets: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([number(lengthOctets, content.length), content]);
}

function number(octets: number, value: number): Buffer {
  const buffer = Buffer.alloc(octets);
  buffer.writeUIntBE(value, 0, octets);
  return buffer;
}
