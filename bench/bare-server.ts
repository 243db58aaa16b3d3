// Our own listener with a handler that reads the body and answers as many bytes as a certificate takes: what Node's TLS
// and HTTP cost by themselves. Arguments: certificate and key, PEM files, and the passphrase's file; none: plain HTTP. Prints its port.
import { readFileSync } from 'node:fs';
import { openTransportKey } from '#keys';
import { readBody, startListener } from '#server';

const [certificate, key, passphrase] = process.argv.slice(2);
const answer = 'A'.repeat(1400);
const listener = await startListener({
  name: 'bare',
  address: '127.0.0.1',
  port: 0,
  tls:
    certificate === undefined
      ? null
      : {
          certificate: readFileSync(certificate, 'utf8'),
          key: await openTransportKey(readFileSync(key!, 'utf8'), readFileSync(passphrase!, 'utf8').trim()),
          minimum: 'TLSv1.3',
          clientCas: [readFileSync(certificate, 'utf8')],
        },
  maximumConnections: 2000,
  requestTimeoutSeconds: 30,
  maximumHeaderBytes: 16_384,
  handler: async (request, response) => {
    await readBody(request, response, 65_536);
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': String(answer.length) });
    response.end(answer);
  },
  report: (error) => console.error(error),
});
console.log(listener.port);
process.once('SIGTERM', () => void listener.close().then(() => process.exit(0)));
