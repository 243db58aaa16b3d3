import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type TlsListener, initialConfiguration, parseConfiguration } from '#config';
import { generateSoftwareKey, type SoftwareKey } from '#keys';
import {
  assembleSigned,
  buildName,
  type Certificate,
  derToPem,
  encodeBasicConstraints,
  encodeName,
  encodeSubjectAltName,
  encodeTbsCertificate,
  extensionOids,
  type GeneralName,
  parseCertificate,
} from '#x509';
import type { PinnedChain } from './pinned-chain.ts';

/* Certification authorities of any depth, and what they certify. */

export interface Holder {
  readonly certificate: Certificate;
  readonly key: SoftwareKey;
}

export const noon = Date.UTC(2026, 10, 22, 12);
const year = 365 * 86_400_000;
let serials = 0;

/** Self-signed without `issuer`. */
export async function certify(
  commonName: string,
  issuer: Holder | null,
  { ca = true, names = [] }: { ca?: boolean; names?: readonly GeneralName[] } = {},
): Promise<Holder> {
  const key = await generateSoftwareKey('ec-p256');
  const subject = buildName([{ type: 'commonName', value: commonName }]);
  const signer = issuer?.key ?? key;
  serials += 1;
  const tbs = encodeTbsCertificate({
    serialNumber: (0x10000 + serials).toString(16).padStart(6, '0'),
    signatureAlgorithm: signer.algorithm,
    issuer: issuer?.certificate.subjectDer ?? encodeName(subject),
    subject,
    notBefore: noon - year,
    notAfter: noon + year,
    spki: key.spki,
    extensions: [
      { oid: extensionOids.basicConstraints, critical: true, value: encodeBasicConstraints({ ca }) },
      ...(names.length === 0
        ? []
        : [{ oid: extensionOids.subjectAltName, critical: false, value: encodeSubjectAltName(names) }]),
    ],
  });
  return {
    key,
    certificate: parseCertificate(assembleSigned(tbs, signer.algorithm, await signer.sign(tbs))),
  };
}

/** Root first in the words, as people say them; last in the chain. */
export async function certifyChain(...commonNames: readonly string[]): Promise<Holder[]> {
  const holders: Holder[] = [];
  for (const name of commonNames) holders.push(await certify(name, holders.at(-1) ?? null));
  return holders.toReversed();
}

export function pinned(issuer: string, holders: readonly Holder[]): PinnedChain {
  const path = holders.map(({ certificate }, at) => ({ file: `/pki/${at}.pem`, certificate }));
  return { issuer, path, root: path.at(-1)!, below: path.slice(0, -1) };
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-trust-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function savePem(folder: string, name: string, ...holders: readonly Holder[]): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, holders.map(({ certificate }) => derToPem(certificate.der, 'CERTIFICATE')).join(''));
  return file;
}

const { listeners } = parseConfiguration(
  Buffer.from(initialConfiguration({ name: 'Example' })),
  '/example/sallyport.yaml',
);
const initialListener = listeners.find((listener) => listener.class === 'enroll' && listener.tls !== null)!;

/** The enroll listener that `init` makes, with this certificate. */
export function enrollListener(
  certificate: string,
  changed: Partial<TlsListener> = {},
  { chain = [] }: { chain?: readonly string[] } = {},
): TlsListener {
  const { key, minimum } = initialListener.tls;
  return { ...initialListener, ...changed, tls: { certificate, chain, issued: null, key, minimum } };
}
