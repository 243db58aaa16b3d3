// One message of a device that speaks SCEP: a process of its own, with a key in its folder. Prints what came of it as JSON.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildName, parseCertificate, pemToDer } from '#x509';
import { type ClientKey, csrFor, keyFromPem, makeKey, privateKeyPem } from '../test/harness/csr.ts';
import { issuerAndSubject, ScepClient, selfSigned } from '../test/harness/scep-client.ts';

export interface ScepRequest {
  readonly folder: string;
  readonly id: string;
  readonly url: string;
  /** The file of trusted CAs, PEM. */
  readonly trust: string;
  readonly asks: 'enroll' | 'poll' | 'renew';
  /** Where it enrolls. */
  readonly secret: string;
}

const { folder, id, url, trust, asks, secret } = JSON.parse(process.argv[2]!) as ScepRequest;
const key = deviceKey(path.join(folder, 'device.json'));
const certificateFile = path.join(folder, 'device.der');
const client = await ScepClient.at(url);
const subject = buildName([{ type: 'commonName', value: id }]);
const messages = {
  enroll: () => ({ key, content: csrFor(id, key, { challengePassword: secret }) }),
  poll: () => ({
    key,
    content: issuerAndSubject(client.cas[0]!, subject),
    messageType: '20',
    signer: selfSigned(key, subject),
  }),
  renew: () => ({
    key,
    content: csrFor(id, key),
    messageType: '17',
    signer: parseCertificate(readFileSync(certificateFile)),
  }),
};
const answer = await client.ask(messages[asks]());
const [certificate] = answer.certificates;
if (certificate !== undefined) {
  demandVerified(new X509Certificate(certificate));
  writeFileSync(certificateFile, certificate);
}
console.log(JSON.stringify({ status: answer.pkiStatus, text: answer.text.trim() }));

function deviceKey(file: string): ClientKey {
  if (existsSync(file)) {
    const { pem, spki } = JSON.parse(readFileSync(file, 'utf8')) as { pem: string; spki: string };
    return keyFromPem(pem, 'rsa-2048', Buffer.from(spki, 'base64'));
  }
  const made = makeKey('rsa-2048');
  const kept = { pem: privateKeyPem(made), spki: Buffer.from(made.spki).toString('base64') };
  writeFileSync(file, JSON.stringify(kept), { mode: 0o600 });
  return made;
}

function demandVerified(issued: X509Certificate): void {
  const issuers = pemToDer(readFileSync(trust, 'utf8'), 'CERTIFICATE').map((der) => new X509Certificate(der));
  const verifies = issuers.some((issuer) => issued.checkIssued(issuer) && issued.verify(issuer.publicKey));
  if (!verifies) throw new Error('the certificate is of none of the CAs in the trust file');
}
