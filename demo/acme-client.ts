// A web server that orders its certificate by ACME with the library acme-client: a process of its own. Prints what came of it as JSON.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import acme from 'acme-client';
import { pemToDer } from '#x509';

export interface AcmeRequest {
  readonly folder: string;
  readonly name: string;
  readonly directoryUrl: string;
  /** The file of trusted CAs, PEM. */
  readonly trust: string;
  /** Where http-01 is answered. */
  readonly httpPort: number;
  /** null: it has its account already. */
  readonly eab: { readonly kid: string; readonly hmacKey: string } | null;
}

const { folder, name, directoryUrl, trust, httpPort, eab } = JSON.parse(process.argv[2]!) as AcmeRequest;
const accountKey = path.join(folder, 'account.pem');
if (!existsSync(accountKey)) {
  writeFileSync(accountKey, await acme.crypto.createPrivateEcdsaKey(), { mode: 0o600 });
}
const client = new acme.Client({
  directoryUrl,
  accountKey: readFileSync(accountKey),
  ...(eab === null ? {} : { externalAccountBinding: eab }),
});
const [, csr] = await acme.crypto.createCsr({ altNames: [name] }, await acme.crypto.createPrivateEcdsaKey());
const answers = new Map<string, string>();
const web = createServer(({ url }, response) => response.end(answers.get(url ?? '')));
await new Promise<void>((resolve) => web.listen(httpPort, '127.0.0.1', resolve));
try {
  const chain = await client.auto({
    csr,
    termsOfServiceAgreed: true,
    challengePriority: ['http-01'],
    skipChallengeVerification: true,
    async challengeCreateFn(_, { token }, keyAuthorization) {
      answers.set(`/.well-known/acme-challenge/${token}`, keyAuthorization);
    },
    async challengeRemoveFn(_, { token }) {
      answers.delete(`/.well-known/acme-challenge/${token}`);
    },
  });
  demandVerified(chain);
  console.log(JSON.stringify({ status: 'issued', text: '' }));
} catch (error) {
  console.log(
    JSON.stringify({ status: 'refused', text: error instanceof Error ? error.message : String(error) }),
  );
} finally {
  web.close();
  web.closeAllConnections();
}

function demandVerified(chain: string): void {
  const [issued, issuer] = pemToDer(chain, 'CERTIFICATE').map((der) => new X509Certificate(der));
  const roots = pemToDer(readFileSync(trust, 'utf8'), 'CERTIFICATE').map((der) => new X509Certificate(der));
  const isWhole =
    issued !== undefined &&
    issuer !== undefined &&
    issued.checkHost(name) === name &&
    issued.verify(issuer.publicKey) &&
    roots.some((root) => issuer.verify(root.publicKey));
  if (!isWhole) throw new Error('the certificate is not of this name, or of no CA in the trust file');
}
