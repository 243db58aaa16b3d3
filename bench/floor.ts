import {
  constants,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';

export interface Floor {
  /** CPU milliseconds of the cryptography that no server can leave out, for one enrollment on a connection of its own. */
  readonly milliseconds: number;
  /** Microseconds of each of its parts. */
  readonly parts: Readonly<Record<string, number>>;
}

/**
 * The crypto floor of an EST enrollment with P-256 throughout, as node:crypto does it on this machine now: a TLS 1.3
 * handshake (key share, shared secret, CertificateVerify), the request's own signature, and the certificate's. A renewal
 * adds the client's CertificateVerify and the check of its certificate. Hashes, HKDF and AES are left out: microseconds.
 */
export function measureFloor({ renewal }: { renewal: boolean }): Floor {
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const peer = generateKeyPairSync('x25519');
  const own = generateKeyPairSync('x25519');
  const message = randomBytes(400);
  const signature = sign('sha256', message, signer.privateKey);
  const spki = signer.publicKey.export({ type: 'spki', format: 'der' });
  const imported = (): KeyObject => createPublicKey({ key: spki, format: 'der', type: 'spki' });

  const keyShare = microseconds(() => generateKeyPairSync('x25519'));
  const sharedSecret = microseconds(() =>
    diffieHellman({ privateKey: own.privateKey, publicKey: peer.publicKey }),
  );
  const signing = microseconds(() => sign('sha256', message, signer.privateKey));
  const verifying = microseconds(() => verify('sha256', message, imported(), signature));
  const parts: Record<string, number> = {
    'TLS key share': keyShare,
    'TLS shared secret': sharedSecret,
    'TLS CertificateVerify': signing,
    'request signature': verifying,
    'certificate signature': signing,
  };
  if (renewal) {
    parts['TLS client CertificateVerify'] = verifying;
    parts['client certificate signature'] = verifying;
  }
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { milliseconds: total / 1000, parts };
}

/**
 * The same of a SCEP enrollment with RSA-2048 on both sides and a P-256 issuer: the message's signature, the content key decrypted, the request's own
 * signature, the certificate's, the answer's content key encrypted, the answer's signature. A renewal checks the certificate that signed. Hashes and AES
 * are left out: microseconds.
 */
export function measureScepFloor({ renewal }: { renewal: boolean }): Floor {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = randomBytes(400);
  const signature = sign('sha256', message, rsa.privateKey);
  const issued = sign('sha256', message, issuer.privateKey);
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' });
  const imported = (): KeyObject => createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const padding = constants.RSA_PKCS1_PADDING;
  const encrypted = publicEncrypt({ key: rsa.publicKey, padding }, randomBytes(16));
  const verifying = microseconds(() => verify('sha256', message, imported(), signature));
  const parts: Record<string, number> = {
    'message signature': verifying,
    'content key decrypted': microseconds(() => privateDecrypt({ key: rsa.privateKey, padding }, encrypted)),
    'request signature': verifying,
    'certificate signature': microseconds(() => sign('sha256', message, issuer.privateKey)),
    'content key encrypted': microseconds(() => publicEncrypt({ key: imported(), padding }, randomBytes(16))),
    'answer signature': microseconds(() => sign('sha256', message, rsa.privateKey)),
  };
  if (renewal) {
    parts['certificate that signed'] = microseconds(() =>
      verify('sha256', message, issuer.publicKey, issued),
    );
  }
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { milliseconds: total / 1000, parts };
}

/**
 * The same of an ACME order on a connection that stands, P-256 throughout: a JWS verified for each signed request, with an account key that is known; the
 * certification request's signature; the certificate's. Hashes and AES are left out: microseconds.
 */
export function measureAcmeFloor({ posts }: { posts: number }): Floor {
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = randomBytes(400);
  const signature = sign('sha256', message, signer.privateKey);
  const spki = signer.publicKey.export({ type: 'spki', format: 'der' });
  const imported = (): KeyObject => createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const ofMessage = microseconds(() => verify('sha256', message, signer.publicKey, signature));
  const parts = {
    'JWS signatures': posts * ofMessage,
    'request signature': microseconds(() => verify('sha256', message, imported(), signature)),
    'certificate signature': microseconds(() => sign('sha256', message, signer.privateKey)),
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { milliseconds: total / 1000, parts };
}

/** CPU of this process; the median of several rounds. What else the machine does takes time, and is no part of the floor. */
function microseconds(operation: () => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const before = process.threadCpuUsage();
    for (let run = 0; run < 300; run += 1) operation();
    const { user, system } = process.threadCpuUsage(before);
    rounds.push((user + system) / 300);
  }
  return rounds.sort((a, b) => a - b)[3]!;
}
