import type { ServedAuthority } from '../test/harness/authority.ts';
import { csrFor, makeKey } from '../test/harness/csr.ts';
import { base64, est, type EstAnswer } from '../test/harness/est-client.ts';
import { measureFloor } from './floor.ts';
import type { BenchClient, BenchProtocol } from './protocol.ts';
import { measureTransport } from './transport.ts';

/** EST with P-256 throughout, each enrollment on a TLS connection of its own. */
export const estProtocol: BenchProtocol = {
  name: 'est',
  operations: { enrollment: 'simpleenroll', renewal: 'simplereenroll' },
  floor: (renewal) => measureFloor({ renewal }),
  transport: (authority, workers) =>
    measureTransport(authority, {
      body: base64(csrFor('transport', makeKey())),
      trust: authority.trustPem,
      workers,
    }),
  clientsPerSecond: 1200,
  async clientMaker() {
    return async (id, secret) => {
      const key = makeKey();
      return { id, key, secret, message: base64(csrFor(id, key)), certificate: null };
    };
  },
  async enroll(client, authority) {
    keep(
      client,
      await est({
        url: `${authority.est}/simpleenroll`,
        body: String(client.message),
        user: [client.id, client.secret],
        trust: authority.trustPem,
      }),
    );
  },
  async renew(client, authority) {
    keep(client, await renewal(client, authority));
  },
};

function renewal(client: BenchClient, authority: ServedAuthority): Promise<EstAnswer> {
  return est({
    url: `${authority.est}/simplereenroll`,
    body: String(client.message),
    client: { certificate: client.certificate!, key: client.key },
    trust: authority.trustPem,
  });
}

function keep(client: BenchClient, answer: EstAnswer): void {
  if (answer.status !== 200) throw new Error(`${client.id}: ${answer.status} ${answer.text}`);
  client.certificate = answer.certificates[0]!;
}
