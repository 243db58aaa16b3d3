import type { TpmTools } from './tools.ts';

/** Where makers leave certificates of the endorsement keys that are made here (TCG EK Credential Profile 2.6 section 2.2.1.4), of templates L-1 and L-2. */
export const endorsementKinds = [
  { algorithm: 'rsa', index: '0x01c00002', words: 'RSA-2048' },
  { algorithm: 'ecc', index: '0x01c0000a', words: 'P-256' },
] as const;

/** What they may leave besides: a template of their own in the place of L-1 or L-2, and certificates of templates H-1 to H-7, each followed by its template (section 2.2.1.5). */
const otherWords: Readonly<Record<number, string>> = {
  0x01c0_0004: "the maker's own template of RSA-2048",
  0x01c0_000c: "the maker's own template of P-256",
  0x01c0_0012: 'a certificate of RSA-2048, high range',
  0x01c0_0014: 'a certificate of P-256, high range',
  0x01c0_0016: 'a certificate of P-384',
  0x01c0_0018: 'a certificate of P-521',
  0x01c0_001a: 'a certificate of SM2',
  0x01c0_001c: 'a certificate of RSA-3072',
  0x01c0_001e: 'a certificate of RSA-4096',
};

/** In words, those that this TPM has; empty where there are none. */
export async function otherEndorsementIndices(tools: TpmTools): Promise<readonly string[]> {
  const kept = await tools.run('getcap', 'handles-nv-index');
  return [...kept.matchAll(/0x[0-9a-f]+/gi)].flatMap(([handle]) => {
    const words = otherWords[Number(handle)];
    return words === undefined ? [] : [`${words} (0x${Number(handle).toString(16).padStart(8, '0')})`];
  });
}
