import { SallyportError } from '#errors';

/** The octets of one TPM structure, big-endian, each read once and to the end. What is read is a view. */
export class TpmCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #position = 0;

  /** `what` names the structure in error messages. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  octets(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** TPM2B: a length of two octets, and as many. */
  sized(maximum: number, field: string): Uint8Array {
    const length = this.u16();
    if (length > maximum) {
      throw new SallyportError(
        'too-large',
        `${this.#what}: ${field} of ${length} octets, at most ${maximum} are read`,
      );
    }
    return this.octets(length);
  }

  /** Throws `malformed` where octets are left. */
  finish(): void {
    if (this.#position < this.#bytes.length) {
      throw new SallyportError('malformed', `${this.#what}: goes on after its end`);
    }
  }

  #skip(length: number): number {
    const start = this.#position;
    if (start + length > this.#bytes.length) {
      throw new SallyportError('malformed', `${this.#what}: ends too early`);
    }
    this.#position += length;
    return start;
  }
}
