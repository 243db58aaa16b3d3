import { certsOnly } from '#cms';
import { type Certificate, derToPem } from '#x509';
import { renderMobileconfig } from './mobileconfig.ts';
import type { PinnedChain } from './pinned-chain.ts';

/** The chain as machines read it. */
export const chainFormats = ['pem', 'root', 'p7b', 'der', 'mobileconfig'] as const;
export type ChainFormat = (typeof chainFormats)[number];

/** Text where the format is text. */
export function encodeChain(
  format: ChainFormat,
  chain: PinnedChain,
  authorityName: string,
): string | Uint8Array {
  const { path, root } = chain;
  switch (format) {
    case 'pem':
      return path.map(({ certificate }) => pemOf(certificate)).join('');
    case 'root':
      return pemOf(root.certificate);
    case 'p7b':
      return certsOnly(path.map(({ certificate }) => certificate.der));
    case 'der':
      return root.certificate.der;
    case 'mobileconfig':
      return renderMobileconfig(chain, authorityName);
  }
}

export function pemOf({ der }: Certificate): string {
  return derToPem(der, 'CERTIFICATE');
}
