import { SallyportError } from '#errors';
import { octetAt } from './octets.ts';
import { isOidContent } from './der-check.ts';

const maximumContentBytes = 64;
const maximumKnown = 1024;

/** Content octets by dotted form, and dotted form by hash of the octets. Filled by encoding; emptied when full. */
const known = new Map<string, Uint8Array>();
const knownByHash = new Map<number, { readonly content: Uint8Array; readonly dotted: string }>();

/** The content octets (X.690 section 8.19) of a dotted object identifier. Shared: not to be changed. */
export function encodeOid(dotted: string): Uint8Array {
  const remembered = known.get(dotted);
  if (remembered !== undefined) return remembered;
  const content = encodeArcs(dotted);
  if (known.size >= maximumKnown) {
    known.clear();
    knownByHash.clear();
  }
  known.set(dotted, content);
  knownByHash.set(hash(content, 0, content.length), { content, dotted });
  return content;
}

/** The dotted form of the octets from `start` to `end`. Throws `malformed`, or `too-large` beyond 64 octets. */
export function decodeOid(bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
  if (end - start > maximumContentBytes) {
    throw new SallyportError('too-large', `object identifier of ${end - start} octets`);
  }
  const remembered = knownByHash.get(hash(bytes, start, end));
  if (remembered !== undefined && equalRange(remembered.content, bytes, start, end)) return remembered.dotted;
  if (!isOidContent(bytes, start, end)) {
    throw new SallyportError('malformed', 'object identifier is not minimal');
  }
  return decodeArcs(bytes, start, end);
}

function encodeArcs(dotted: string): Uint8Array {
  if (!/^[0-2](?:\.(?:0|[1-9][0-9]{0,140})){1,64}$/.test(dotted)) {
    throw new SallyportError(
      'malformed',
      `not a dotted object identifier: ${JSON.stringify(dotted.slice(0, 80))}`,
    );
  }
  const [first, second, ...rest] = dotted.split('.').map(BigInt);
  if (first! < 2n && second! > 39n) {
    throw new SallyportError('malformed', `second arc is above 39: ${dotted}`);
  }
  const octets: number[] = [];
  for (const arc of [first! * 40n + second!, ...rest]) pushArc(octets, arc);
  if (octets.length > maximumContentBytes) {
    throw new SallyportError('too-large', `object identifier of ${octets.length} octets`);
  }
  return Uint8Array.from(octets);
}

function pushArc(octets: number[], arc: bigint): void {
  const groups = [Number(arc & 0x7fn)];
  for (let left = arc >> 7n; left > 0n; left >>= 7n) groups.push(Number(left & 0x7fn) | 0x80);
  octets.push(...groups.toReversed());
}

function decodeArcs(bytes: Uint8Array, start: number, end: number): string {
  let dotted = '';
  let small = 0;
  let large: bigint | null = null;
  for (let i = start; i < end; i += 1) {
    const group = octetAt(bytes, i) & 0x7f;
    // Numbers are exact to 2^53; UUID arcs (2.25) have 128 bits.
    if (large === null && small >= 2 ** 45) large = BigInt(small);
    if (large === null) small = small * 128 + group;
    else large = large * 128n + BigInt(group);
    if ((octetAt(bytes, i) & 0x80) !== 0) continue;
    dotted = dotted === '' ? firstArcs(large ?? BigInt(small)) : `${dotted}.${large ?? small}`;
    small = 0;
    large = null;
  }
  return dotted;
}

function firstArcs(combined: bigint): string {
  if (combined < 80n) return `${combined / 40n}.${combined % 40n}`;
  return `2.${combined - 80n}`;
}

/** FNV-1a. A collision costs a decoding, never a wrong answer. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < end; i += 1) value = Math.imul(value ^ octetAt(bytes, i), 0x01000193);
  return value;
}

function equalRange(content: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (content.length !== end - start) return false;
  for (let i = 0; i < content.length; i += 1) if (content[i] !== bytes[start + i]) return false;
  return true;
}

/** Whether a dotted OID is one that DER can say. */
export function isObjectIdentifier(dotted: string): boolean {
  try {
    encodeOid(dotted);
    return true;
  } catch {
    return false;
  }
}
