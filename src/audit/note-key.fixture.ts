import { generateKeyPairSync, sign } from 'node:crypto';
import { type NoteSigner, type NoteVerifier, parseVerifierKey, verifierKey } from '#audit';

export interface NoteKey {
  readonly signer: NoteSigner;
  readonly vkey: string;
  readonly verifier: NoteVerifier;
}

export function noteKey(name = 'log.example/audit'): NoteKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const vkey = verifierKey(name, spki);
  return {
    signer: {
      name,
      key: { algorithm: 'ed25519', spki, sign: async (data) => sign(null, data, privateKey) },
    },
    vkey,
    verifier: parseVerifierKey(vkey),
  };
}
