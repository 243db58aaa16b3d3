import { createHash, createPublicKey, verify } from 'node:crypto';

/* A reader of C2SP tlog-tiles, written from the specifications and without any code of ours: what an auditor would bring. */

/** The bytes at a path below the log's prefix; null: not there. */
export type Fetch = (path: string) => Promise<Buffer | null>;

const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafOf = (entry: Uint8Array) => sha256(Buffer.of(0), entry);
const parentOf = (left: Uint8Array, right: Uint8Array) => sha256(Buffer.of(1), left, right);

export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** C2SP signed-note and tlog-checkpoint, with one Ed25519 key. Throws where the note is not signed by it. */
export function readCheckpoint(note: string, verifierKey: string): Head {
  const [, name = '', keyId = '', encoded = ''] = /^(.+?)\+([0-9a-f]{8})\+(.+)$/.exec(verifierKey) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  const named = sha256(Buffer.from(`${name}\n`), typed).toString('hex');
  if (!named.startsWith(keyId)) throw new Error('key ID');
  const end = note.lastIndexOf('\n\n') + 1;
  const text = note.slice(0, end);
  const x = typed.subarray(1).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const signed = note
    .slice(end + 1)
    .split('\n')
    .filter((line) => line.startsWith(`\u2014 ${name} `))
    .map((line) => Buffer.from(line.slice(name.length + 3), 'base64'))
    .some((s) => s.toString('hex', 0, 4) === keyId && verify(null, Buffer.from(text), key, s.subarray(4)));
  if (!signed) throw new Error('the note is not signed by this key');
  const [origin = '', size = '', root = ''] = text.split('\n');
  if (!/^(?:0|[1-9]\d*)$/.test(size)) throw new Error(`size ${size}`);
  return { origin, size: Number(size), root: Buffer.from(root, 'base64') };
}

export function pathOf(level: number | 'entries', index: number, width: number): string {
  let path = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  }
  return `tile/${level}/${path}${width === 256 ? '' : `.p/${width}`}`;
}

/** RFC 6962 section 2.1.1, verified by walking the tree from its root: which hash of the path stands where follows from index and size. */
export function includes(
  root: Uint8Array,
  size: number,
  index: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  const rest = [...path];
  const walk = (from: number, to: number): Uint8Array | null => {
    if (to - from === 1) return leaf;
    const split = from + splitOf(to - from);
    const sibling = rest.pop();
    if (sibling === undefined || sibling.length !== 32) return null;
    const inner = index < split ? walk(from, split) : walk(split, to);
    if (inner === null) return null;
    return index < split ? parentOf(inner, sibling) : parentOf(sibling, inner);
  };
  if (!(index >= 0 && index < size) || leaf.length !== 32) return false;
  const computed = walk(0, size);
  return computed !== null && rest.length === 0 && Buffer.from(computed).equals(root);
}

function splitOf(width: number): number {
  let split = 1;
  while (split * 2 < width) split *= 2;
  return split;
}

export class TileReader {
  readonly #fetch: Fetch;
  readonly #size: number;
  readonly #tiles = new Map<string, Promise<Buffer>>();

  constructor(fetch: Fetch, size: number) {
    this.#fetch = fetch;
    this.#size = size;
  }

  /** All entries, bundle by bundle, each compared with its hash in the tile of level 0. */
  async entries(): Promise<Buffer[]> {
    const entries: Buffer[] = [];
    for (let index = 0; index * 256 < this.#size; index += 1) {
      const bundle = await this.#read('entries', index, this.#size);
      const inBundle: Buffer[] = [];
      for (let at = 0; at < bundle.length;) {
        const length = bundle.readUInt16BE(at);
        if (at + 2 + length > bundle.length) throw new Error('an entry is cut off');
        inBundle.push(bundle.subarray(at + 2, at + 2 + length));
        at += 2 + length;
      }
      if (inBundle.length !== Math.min(256, this.#size - index * 256)) throw new Error('width of a bundle');
      for (const [at, entry] of inBundle.entries()) {
        if (!leafOf(entry).equals(await this.node(0, index * 256 + at))) throw new Error('another entry');
      }
      entries.push(...inBundle);
    }
    return entries;
  }

  root(): Promise<Buffer> {
    return this.#mth(0, this.#size);
  }

  /** PATH(index, D[size]), the leaf's sibling first. */
  async path(index: number, from = 0, to = this.#size): Promise<Buffer[]> {
    if (to - from === 1) return [];
    const split = from + splitOf(to - from);
    return index < split
      ? [...(await this.path(index, from, split)), await this.#mth(split, to)]
      : [...(await this.path(index, split, to)), await this.#mth(from, split)];
  }

  /** The root of the full subtree of 2^height entries at `index`. */
  async node(height: number, index: number): Promise<Buffer> {
    if (height % 8 !== 0) {
      return parentOf(await this.node(height - 1, index * 2), await this.node(height - 1, index * 2 + 1));
    }
    const hashes = Math.floor(this.#size / 2 ** height);
    const tile = await this.#read(height / 8, Math.floor(index / 256), hashes);
    return tile.subarray((index % 256) * 32, (index % 256) * 32 + 32);
  }

  async #mth(from: number, to: number): Promise<Buffer> {
    const width = to - from;
    const height = Math.log2(width);
    if (Number.isInteger(height) && from % width === 0) return this.node(height, from / width);
    const split = from + splitOf(width);
    return parentOf(await this.#mth(from, split), await this.#mth(split, to));
  }

  #read(level: number | 'entries', index: number, hashes: number): Promise<Buffer> {
    const path = pathOf(level, index, Math.min(256, hashes - index * 256));
    const known = this.#tiles.get(path);
    if (known !== undefined) return known;
    const read = this.#fetch(path).then((bytes) => {
      if (bytes === null) throw new Error(`${path} is not served`);
      return bytes;
    });
    this.#tiles.set(path, read);
    return read;
  }
}
