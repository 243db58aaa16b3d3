import { generateOperatorToken } from '#admin';
import { generateSoftwareKey, type KeyAlgorithm, type SoftwareKey } from '#keys';

/** All that is secret about a new authority. */
export interface KeyMaterial {
  readonly root: SoftwareKey;
  readonly issuing: SoftwareKey;
  readonly listener: SoftwareKey;
  readonly log: SoftwareKey;
  readonly ra: SoftwareKey;
  readonly rootPassphrase: string;
  /** Of the keys that the running authority uses. */
  readonly passphrase: string;
  readonly macKey: string;
  readonly token: string;
}

/** The listener's key is P-256 whatever the CAs have: every TLS client can verify its signatures. */
const listenerAlgorithm = 'ec-p256';
/** C2SP signed-note: checkpoints are signed with Ed25519. */
const logAlgorithm = 'ed25519';

/** SCEP encrypts to it, and old devices know nothing longer. */
const raAlgorithm = 'rsa-2048';

export async function generateKeyMaterial(
  algorithm: KeyAlgorithm,
  random: (n: number) => Uint8Array,
): Promise<KeyMaterial> {
  const [root, issuing, listener, log, ra] = await Promise.all([
    generateSoftwareKey(algorithm),
    generateSoftwareKey(algorithm),
    generateSoftwareKey(listenerAlgorithm),
    generateSoftwareKey(logAlgorithm),
    generateSoftwareKey(raAlgorithm),
  ]);
  const passphrase = () => Buffer.from(random(32)).toString('base64url');
  return {
    root,
    issuing,
    listener,
    log,
    ra,
    rootPassphrase: passphrase(),
    passphrase: passphrase(),
    macKey: passphrase(),
    token: generateOperatorToken(random),
  };
}
