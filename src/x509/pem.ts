import { SallyportError } from '#errors';
import type { Der } from './der-node.ts';

const maximumCharacters = 4 * 1024 * 1024;
const maximumBlocks = 1024;

/** RFC 7468 section 7: GnuTLS and Windows write the older label. */
const olderLabels: Readonly<Record<string, string>> = { 'CERTIFICATE REQUEST': 'NEW CERTIFICATE REQUEST' };

/**
 * The blocks with this label (RFC 7468), in order; text around them and blocks with other labels are passed over. Throws
 * `malformed` where there is none, one does not end, or its base64 is not strict.
 */
export function pemToDer(text: string, label: string): Der[] {
  if (text.length > maximumCharacters) throw new SallyportError('too-large', 'PEM: over 4 MiB');
  const blocks: Der[] = [];
  for (const begin of text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g)) {
    const found = begin[1] ?? '';
    if (found !== label && found !== olderLabels[label]) continue;
    if (blocks.length === maximumBlocks) {
      throw new SallyportError('too-large', `PEM: more than ${maximumBlocks} blocks`);
    }
    blocks.push(decodeBlock(text, begin.index + begin[0].length, found));
  }
  if (blocks.length === 0) throw new SallyportError('malformed', `PEM: no ${label} in the text`);
  return blocks;
}

/** One block of 64 columns, with a newline at its end. */
export function derToPem(der: Der, label: string): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function decodeBlock(text: string, start: number, label: string): Der {
  // Base64 has no hyphen: a block that does not end is noticed at the next one, not at the end of the text.
  const stop = text.indexOf('-', start);
  if (stop < 0 || !text.startsWith(`-----END ${label}-----`, stop)) {
    throw new SallyportError('malformed', `PEM: a ${label} does not end`);
  }
  try {
    const bytes = Uint8Array.fromBase64(text.slice(start, stop), { lastChunkHandling: 'strict' });
    if (bytes.length > 0) return bytes;
  } catch (error) {
    throw new SallyportError('malformed', `PEM: a ${label} is not base64`, { cause: error });
  }
  throw new SallyportError('malformed', `PEM: a ${label} is empty`);
}
