import { csrFor } from '../test/harness/csr.ts';
import { askHttp } from '../test/harness/http.ts';
import { pkiStatusOf, ScepClient } from '../test/harness/scep-client.ts';
import { parseCertificate } from '#x509';
import { measureScepFloor } from './floor.ts';
import type { BenchClient, BenchProtocol } from './protocol.ts';
import { rsaKey } from './rsa-key.ts';
import { measureScepserver } from './scepserver.ts';
import { measureHttpTransport } from './transport.ts';

/** SCEP with an RSA-2048 key on both sides and a P-256 issuer, AES-128 and SHA-256, by POST over plain HTTP. */
export const scepProtocol: BenchProtocol = {
  name: 'scep',
  operations: { enrollment: 'PKCSReq', renewal: 'RenewalReq' },
  floor: (renewal) => measureScepFloor({ renewal }),
  transport: (_authority, workers) => measureHttpTransport({ body: Buffer.alloc(2600), workers }),
  peer: () => measureScepserver(300),
  // An RSA key takes a tenth of a second to make.
  clientsPerSecond: 500,
  async clientMaker(authority, renewals) {
    const scep = await ScepClient.at(authority.scep);
    return async (id, secret) => {
      const key = await rsaKey();
      const content = csrFor(id, key, { challengePassword: secret });
      const first = await scep.build({ content, key });
      if (!renewals) return { id, key, secret, message: first.body, certificate: null };
      // Its first certificate is asked for here, so that its renewal can be made: the same one again and again.
      const answer = await scep.post(first);
      if (answer.pkiStatus !== 'success') throw new Error(`${id}: ${answer.text}`);
      const [certificate] = answer.certificates;
      const signer = parseCertificate(certificate!);
      const renewal = await scep.build({ content: csrFor(id, key), key, signer, messageType: '17' });
      return { id, key, secret, message: renewal.body, certificate: certificate! };
    };
  },
  enroll: ask,
  renew: ask,
};

async function ask(client: BenchClient, { scep }: { readonly scep: string }): Promise<void> {
  const url = `${scep}?operation=PKIOperation`;
  const answer = await askHttp(url, { method: 'POST', body: Buffer.from(client.message) });
  const status = pkiStatusOf(answer);
  if (status !== 'success') throw new Error(`${client.id}: ${answer.status} ${status} ${answer.text}`);
}
