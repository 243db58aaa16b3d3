import {
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
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

/** The median of several rounds, so that a busy neighbour does not make the floor. */
function microseconds(operation: () => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const started = process.hrtime.bigint();
    for (let run = 0; run < 300; run += 1) operation();
    rounds.push(Number(process.hrtime.bigint() - started) / 300 / 1000);
  }
  return rounds.sort((a, b) => a - b)[3]!;
}
