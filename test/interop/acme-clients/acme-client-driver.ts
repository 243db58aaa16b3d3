import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';
import acme from 'acme-client';
import type { AcmeServer, AcmeTask } from './acme-task.ts';

/** What the driver reads from its standard input, as JSON. */
export interface Errand extends AcmeTask {
  readonly server: AcmeServer;
  /** A PEM file, made where there is none. */
  readonly accountKey: string;
  /** A PEM file: what to revoke. Without it a certificate is got, and printed with its issuers. */
  readonly revoke?: string;
}

if (import.meta.main) await main(JSON.parse(await text(process.stdin)) as Errand);

async function main(errand: Errand): Promise<void> {
  const { server, names, challenge, eab, accountKey, revoke } = errand;
  if (!existsSync(accountKey)) writeFileSync(accountKey, await acme.crypto.createPrivateEcdsaKey());
  const client = new acme.Client({
    directoryUrl: server.directoryUrl,
    accountKey: readFileSync(accountKey),
    ...(eab === null ? {} : { externalAccountBinding: eab }),
    // Milliseconds: it would wait for 5 s and more before it looks again.
    backoffMin: 100,
    backoffMax: 1000,
  });
  const account = { termsOfServiceAgreed: true, contact: ['mailto:operator@example.test'] };
  if (revoke !== undefined) {
    await client.createAccount(account);
    await client.revokeCertificate(readFileSync(revoke));
    return;
  }
  const [, csr] = await acme.crypto.createCsr(
    { commonName: names[0]!, altNames: [...names] },
    await acme.crypto.createPrivateEcdsaKey(),
  );
  const answers = new Map<string, string>();
  const web = createServer(({ url }, response) => response.end(answers.get(url ?? '')));
  await new Promise<void>((resolve) => web.listen(server.httpPort, '127.0.0.1', resolve));
  const tell = async (act: string, body: object) => {
    const answer = await post(`${server.dnsManagementUrl}/${act}`, JSON.stringify(body));
    if (answer !== 200) throw new Error(`${act}: ${answer}`);
  };
  const certificate = await client.auto({
    csr,
    termsOfServiceAgreed: true,
    email: 'operator@example.test',
    challengePriority: [challenge],
    skipChallengeVerification: true,
    async challengeCreateFn({ identifier }, { type, token }, keyAuthorization) {
      if (type === 'http-01') answers.set(`/.well-known/acme-challenge/${token}`, keyAuthorization);
      else await tell('set-txt', { host: `_acme-challenge.${identifier.value}.`, value: keyAuthorization });
    },
    async challengeRemoveFn({ identifier }, { type }) {
      if (type === 'dns-01') await tell('clear-txt', { host: `_acme-challenge.${identifier.value}.` });
    },
  });
  web.close();
  web.closeAllConnections();
  process.stdout.write(certificate);
}

async function post(url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end(body);
  });
}
