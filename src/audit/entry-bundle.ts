import { SallyportError } from '#errors';
import { maximumEntryLength } from './entry.ts';
import { tileWidth } from './tile-hashes.ts';

/** C2SP tlog-tiles, "Log entries": big-endian uint16 length and bytes, for 1 to 256 entries. */
export function formatEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  assertBundleWidth(entries.length);
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > maximumEntryLength) {
      throw new SallyportError('too-large', `a log entry has at most ${maximumEntryLength} octets`);
    }
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(entry.length);
    parts.push(length, entry);
  }
  return Buffer.concat(parts);
}

/** Views into `bundle`, not copies. */
export function parseEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  let at = 0;
  while (at < bundle.length) {
    const start = at + 2;
    const end = start > bundle.length ? Infinity : start + view.getUint16(at);
    if (end > bundle.length) throw new SallyportError('malformed', 'the last entry of a bundle is cut off');
    entries.push(bundle.subarray(start, end));
    at = end;
  }
  assertBundleWidth(entries.length);
  return entries;
}

function assertBundleWidth(width: number): void {
  if (width < 1 || width > tileWidth) {
    throw new SallyportError('malformed', `an entry bundle has 1 to ${tileWidth} entries`);
  }
}
