import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';

export type RecordType = 'A' | 'AAAA' | 'TXT' | 'CAA' | 'CNAME';

/** Of A and AAAA the address, of CNAME the name, of TXT its strings. */
export interface DnsRecord {
  readonly type: RecordType;
  readonly value: string | readonly string[] | CaaValue;
  /** Where it is not the name that was asked for. */
  readonly owner?: string;
}

export interface CaaValue {
  readonly flags: number;
  readonly tag: string;
  readonly value: string;
}

export type DnsAnswer = readonly DnsRecord[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silence' | 'garbage';

const types: Readonly<Record<number, RecordType>> = { 1: 'A', 5: 'CNAME', 16: 'TXT', 28: 'AAAA', 257: 'CAA' };
const rcodes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
/** What fits into UDP (RFC 9715): the rest is asked for again over TCP. */
const udpOctets = 1_232;

/** A header that promises more than comes. */
const garbage = Buffer.from('8180ffffffffffffffffffff', 'hex');

/** A resolver on loopback that knows what it is told, and nothing (NXDOMAIN) of other names. UDP and TCP. */
export class DnsServer {
  readonly port: number;
  /** `NAME TYPE`, as they came. */
  readonly questions: string[] = [];
  /** By the address that they came from. */
  readonly askedFrom = new Set<string>();
  readonly #zone = new Map<string, DnsAnswer | ((nth: number) => DnsAnswer)>();
  readonly #asked = new Map<string, number>();
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #open = new Set<Socket>();

  static async start(address = '127.0.0.1'): Promise<DnsServer> {
    const tcp = createServer();
    tcp.listen(0, address);
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    udp.bind(port, address);
    await once(udp, 'listening');
    return new DnsServer(udp, tcp, port);
  }

  private constructor(udp: UdpSocket, tcp: Server, port: number) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = port;
    udp.on('message', (message, from) => {
      this.askedFrom.add(from.address);
      const answer = this.#answer(message);
      if (answer === null) return;
      udp.send(answer.length > udpOctets ? truncated(answer) : answer, from.port, from.address);
    });
    tcp.on('connection', (socket) => {
      this.#open.add(socket);
      let read = Buffer.alloc(0);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#open.delete(socket));
      socket.on('data', (part: Buffer) => {
        read = Buffer.concat([read, part]);
        while (read.length >= 2 && read.length >= 2 + read.readUInt16BE(0)) {
          const end = 2 + read.readUInt16BE(0);
          const answer = this.#answer(read.subarray(2, end));
          read = read.subarray(end);
          if (answer !== null) socket.write(Buffer.concat([number(2, answer.length), answer]));
        }
      });
    });
  }

  get resolver(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The answer to each question of this name and type, or to the nth of them. */
  set(name: string, type: RecordType, answer: DnsAnswer | ((nth: number) => DnsAnswer)): void {
    this.#zone.set(`${name} ${type}`, answer);
  }

  /** A and AAAA. */
  addresses(name: string, ...addresses: readonly string[]): void {
    const records = addresses.map((value): DnsRecord => ({ type: isIPv6(value) ? 'AAAA' : 'A', value }));
    for (const type of ['A', 'AAAA'] as const) {
      this.set(
        name,
        type,
        records.filter((record) => record.type === type),
      );
    }
  }

  txt(name: string, ...values: readonly string[]): void {
    this.set(
      name,
      'TXT',
      values.map((value) => ({ type: 'TXT', value: [value] })),
    );
  }

  caa(name: string, ...records: readonly (readonly [flags: number, tag: string, value: string])[]): void {
    this.set(
      name,
      'CAA',
      records.map(([flags, tag, value]) => ({ type: 'CAA', value: { flags, tag, value } })),
    );
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#udp.close();
    this.#tcp.close();
    await Promise.all([once(this.#udp, 'close'), once(this.#tcp, 'close')]);
  }

  #answer(message: Buffer): Buffer | null {
    const { name, type, end } = questionOf(message);
    const key = `${name} ${type}`;
    this.questions.push(key);
    const nth = this.#asked.get(key) ?? 0;
    this.#asked.set(key, nth + 1);
    const told = this.#zone.get(key) ?? (this.#knows(name) ? [] : 'NXDOMAIN');
    const answer = typeof told === 'function' ? told(nth) : told;
    if (answer === 'silence') return null;
    if (answer === 'garbage') return Buffer.concat([message.subarray(0, 2), garbage]);
    const records = typeof answer === 'string' ? [] : answer;
    const rcode = typeof answer === 'string' ? rcodes[answer] : 0;
    return Buffer.concat([
      message.subarray(0, 2),
      number(2, 0x8180 | rcode),
      number(2, 1),
      number(2, records.length),
      number(4, 0),
      message.subarray(12, end),
      ...records.map((record) => encodeRecord(record)),
    ]);
  }

  #knows(name: string): boolean {
    return [...this.#zone.keys()].some((key) => key.startsWith(`${name} `) || key.includes(`.${name} `));
  }
}

function questionOf(message: Buffer): { name: string; type: RecordType | undefined; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: types[message.readUInt16BE(at + 1)], end: at + 5 };
}

/** RFC 1035 section 3.2.1. */
function encodeRecord({ type, value, owner }: DnsRecord): Buffer {
  const typeNumber = Number(Object.entries(types).find(([, name]) => name === type)![0]);
  const content = contentOf(type, value);
  // 0xc00c: the name of the question.
  const name = owner === undefined ? number(2, 0xc00c) : encodeName(owner);
  return Buffer.concat([
    name,
    number(2, typeNumber),
    number(2, 1),
    number(4, 1),
    number(2, content.length),
    content,
  ]);
}

function contentOf(type: RecordType, value: DnsRecord['value']): Buffer {
  if (type === 'TXT') return Buffer.concat((value as string[]).map((text) => counted(text)));
  if (type === 'CAA') {
    const { flags, tag, value: text } = value as CaaValue;
    return Buffer.concat([number(1, flags), counted(tag), Buffer.from(text, 'latin1')]);
  }
  if (type === 'CNAME') return encodeName(value as string);
  return type === 'A' ? Buffer.from((value as string).split('.').map(Number)) : ipv6(value as string);
}

function ipv6(text: string): Buffer {
  const dotted = /(?<=:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const [a = 0, b = 0, c = 0, d = 0] = dotted === null ? [] : dotted.slice(1).map(Number);
  const plain = dotted === null ? text : text.slice(0, dotted.index) + `${hex(a, b)}:${hex(c, d)}`;
  const [head = '', tail = ''] = plain.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [front, back] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.concat([...front, ...zeros, ...back].map((group) => number(2, Number.parseInt(group, 16))));
}

function hex(high: number, low: number): string {
  return (high * 256 + low).toString(16);
}

function encodeName(name: string): Buffer {
  return Buffer.concat([...name.split('.').map((label) => counted(label)), number(1, 0)]);
}

function counted(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1');
  return Buffer.concat([number(1, octets.length), octets]);
}

/** RFC 1035 section 4.1.1: TC, and no answers. */
function truncated(answer: Buffer): Buffer {
  const { end } = questionOf(answer);
  const head = Buffer.from(answer.subarray(0, end));
  head.writeUInt16BE(head.readUInt16BE(2) | 0x0200, 2);
  head.writeUInt16BE(0, 6);
  return head;
}

function number(octets: number, value: number): Buffer {
  const buffer = Buffer.alloc(octets);
  buffer.writeUIntBE(value, 0, octets);
  return buffer;
}
