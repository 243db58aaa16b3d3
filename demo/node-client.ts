// One request of a device that has neither curl nor openssl: a process of its own, with a key in its folder. Prints status and answer as JSON.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pemToDer } from '#x509';
import { base64, est } from '../test/harness/est-client.ts';
import {
  type ClientKey,
  csrFor,
  keyFromPem,
  makeKey,
  privateKeyPem,
  renewalCsr,
} from '../test/harness/csr.ts';

export interface NodeRequest {
  readonly folder: string;
  readonly id: string;
  readonly url: string;
  /** The file of trusted CAs, PEM. */
  readonly trust: string;
  /** null: it renews with its certificate. */
  readonly secret: string | null;
}

const { folder, id, url, trust, secret } = JSON.parse(process.argv[2]!) as NodeRequest;
const trusted = readFileSync(trust, 'utf8');
const key = deviceKey(path.join(folder, 'device.json'));
const certificateFile = path.join(folder, 'device.der');
const answer =
  secret === null
    ? await renew(readFileSync(certificateFile))
    : await est({ url, trust: trusted, user: [id, secret], body: base64(csrFor(id, key)) });
const [certificate] = answer.certificates;
if (certificate !== undefined) {
  demandVerified(new X509Certificate(certificate));
  writeFileSync(certificateFile, certificate);
}
console.log(JSON.stringify({ status: answer.status, text: answer.text.trim() }));

function renew(current: Uint8Array) {
  return est({
    url,
    trust: trusted,
    client: { certificate: current, key },
    body: base64(renewalCsr(current, key)),
  });
}

function deviceKey(file: string): ClientKey {
  if (existsSync(file)) {
    const { pem, spki } = JSON.parse(readFileSync(file, 'utf8')) as { pem: string; spki: string };
    return keyFromPem(pem, 'ec-p256', Buffer.from(spki, 'base64'));
  }
  const made = makeKey();
  const kept = { pem: privateKeyPem(made), spki: Buffer.from(made.spki).toString('base64') };
  writeFileSync(file, JSON.stringify(kept), { mode: 0o600 });
  return made;
}

function demandVerified(issued: X509Certificate): void {
  const issuers = pemToDer(trusted, 'CERTIFICATE').map((der) => new X509Certificate(der));
  const verifies = issuers.some((issuer) => issued.checkIssued(issuer) && issued.verify(issuer.publicKey));
  if (!verifies) throw new Error('the certificate is of none of the CAs in the trust file');
}
