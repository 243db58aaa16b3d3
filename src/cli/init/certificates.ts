import { caCertificatePath, crlPath } from '#authority';
import { ceremony, loadIssuer, randomSerialNumber } from '#ca';
import { buildName, type Certificate } from '#x509';
import type { KeyMaterial } from './key-material.ts';

export interface FirstCertificates {
  readonly root: Certificate;
  readonly issuing: Certificate;
  readonly listener: Certificate;
}

const day = 86_400_000;
const validity = {
  root: 20 * 365 * day,
  issuing: 10 * 365 * day,
  /** Apple's TLS clients refuse server certificates of private CAs that live longer (support.apple.com/103769). */
  listener: 825 * day,
} as const;
/** For clients whose clock lags. */
const backdate = 3_600_000;

/** Root, issuing CA, and the TLS certificate of the listener on loopback. */
export async function signFirstCertificates(
  name: string,
  issuerName: string,
  keys: KeyMaterial,
  context: {
    readonly now: number;
    readonly random: (n: number) => Uint8Array;
    /** Where the issuing CA's CRL and certificate are served: in the listener's certificate too, whose clients may look. */
    readonly publicUrl: string;
  },
): Promise<FirstCertificates> {
  const notBefore = Math.floor((context.now - backdate) / 1000) * 1000;
  const life = (milliseconds: number) => ({
    notBefore,
    notAfter: notBefore + milliseconds,
    serialNumber: randomSerialNumber(context.random),
  });
  const subject = (suffix: string) => buildName([{ type: 'commonName', value: `${name} ${suffix}` }]);

  const root = await ceremony.createRoot({
    ...life(validity.root),
    subject: subject('Root CA'),
    key: keys.root,
  });
  // The root publishes no CRL: it is offline, and a compromised issuing CA is answered with a new one and new trust files.
  const issuing = await ceremony.signIssuer({
    ...life(validity.issuing),
    root: { certificate: root, key: keys.root },
    subject: subject('Issuing CA'),
    key: keys.issuing,
    crlUrls: [],
    caIssuersUrls: [],
  });
  const issuer = await loadIssuer({
    name: issuerName,
    certificate: issuing.der,
    chain: [root.der],
    key: keys.issuing,
  });
  const listener = await ceremony.signListener({
    ...life(validity.listener),
    issuer,
    subject: subject('enrollment'),
    subjectAltName: [
      { kind: 'dns', value: 'localhost' },
      { kind: 'ip', value: '127.0.0.1' },
      { kind: 'ip', value: '::1' },
    ],
    spki: keys.listener.spki,
    crlUrls: [`${context.publicUrl}${crlPath(issuerName)}`],
    caIssuersUrls: [`${context.publicUrl}${caCertificatePath(issuerName)}`],
  });
  return { root, issuing, listener };
}
