import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Where names are proven, in the process of the load generator: a resolver that has 127.0.0.1 for every name, and a web server. */
export interface Proofs {
  /** Key authorizations by token. */
  readonly byToken: Map<string, string>;
  readonly httpPort: number;
  readonly resolver: string;
  close(): void;
}

/** `httpPort` 0: any. */
export async function startProofs(httpPort: number): Promise<Proofs> {
  const byToken = new Map<string, string>();
  const web = createServer((socket) => {
    let head = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (part: Buffer) => {
      head += part.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const token = /^GET \/\.well-known\/acme-challenge\/([A-Za-z0-9_-]+) /.exec(head)?.[1] ?? '';
      const proof = byToken.get(token);
      const status = proof === undefined ? '404 Not Found' : '200 OK';
      const length = `Content-Length: ${proof?.length ?? 0}\r\nConnection: close`;
      socket.end(
        `HTTP/1.1 ${status}\r\nContent-Type: application/octet-stream\r\n${length}\r\n\r\n${proof ?? ''}`,
      );
    });
  });
  web.listen(httpPort, '127.0.0.1');
  await once(web, 'listening');
  const dns = createSocket('udp4');
  dns.on('message', (question, from) => dns.send(answerTo(question), from.port, from.address));
  dns.bind(0, '127.0.0.1');
  await once(dns, 'listening');
  return {
    byToken,
    httpPort: (web.address() as AddressInfo).port,
    resolver: `127.0.0.1:${dns.address().port}`,
    close() {
      web.close();
      dns.close();
    },
  };
}

const addressType = 1;

/** RFC 1035 section 4.1: the question, and for one of type A an address. */
function answerTo(question: Buffer): Buffer {
  let end = 12;
  while (question[end] !== 0 && end < question.length) end += question[end]! + 1;
  const asksForAddress = question.readUInt16BE(end + 1) === addressType;
  const head = Buffer.from(question.subarray(0, end + 5));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(asksForAddress ? 1 : 0, 6);
  // Records beside the question, such as EDNS.
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  const record = Buffer.from('c00c000100010000000000047f000001', 'hex');
  return asksForAddress ? Buffer.concat([head, record]) : head;
}
