/** A DER element as a reader of our own tests sees it, independent of src/: tag octet, content octets, and what is inside. */
export class Tlv {
  readonly tag: number;
  readonly der: Buffer;
  readonly content: Buffer;

  private constructor(der: Buffer, tag: number, content: Buffer) {
    this.der = der;
    this.tag = tag;
    this.content = content;
  }

  static read(bytes: Uint8Array): Tlv {
    const [only, ...others] = Tlv.all(Buffer.from(bytes));
    if (only === undefined || others.length > 0) throw new Error('not one element');
    return only;
  }

  static all(bytes: Buffer): Tlv[] {
    const found: Tlv[] = [];
    for (let at = 0; at < bytes.length;) {
      let [length, header] = [bytes.readUInt8(at + 1), 2];
      if (length >= 0x80) {
        header += length & 0x7f;
        length = bytes.readUIntBE(at + 2, length & 0x7f);
      }
      const end = at + header + length;
      if (end > bytes.length) throw new Error('an element ends beyond its end');
      found.push(new Tlv(bytes.subarray(at, end), bytes.readUInt8(at), bytes.subarray(at + header, end)));
      at = end;
    }
    return found;
  }

  get children(): Tlv[] {
    return Tlv.all(this.content);
  }

  /** Dotted. */
  get oid(): string {
    const arcs: bigint[] = [];
    let arc = 0n;
    for (const octet of this.content) {
      arc = (arc << 7n) | BigInt(octet & 0x7f);
      if (octet >= 0x80) continue;
      arcs.push(arc);
      arc = 0n;
    }
    const [first = 0n, ...rest] = arcs;
    const top = first < 80n ? first / 40n : 2n;
    return [top, first - top * 40n, ...rest].join('.');
  }
}
