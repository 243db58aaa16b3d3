import { createHmac } from 'node:crypto';
import { type TpmHash, digest } from './algorithms.ts';

/** KDFa (part 1 section 11.4.10.2): SP 800-108 in counter mode, with HMAC. `bits`: whole octets. */
export function kdfa(
  hash: TpmHash,
  key: Uint8Array,
  label: string,
  contextU: Uint8Array,
  contextV: Uint8Array,
  bits: number,
): Uint8Array {
  const fixed = Buffer.concat([terminated(label), contextU, contextV, u32(bits)]);
  return derive(bits, (counter) => createHmac(hash, key).update(counter).update(fixed).digest());
}

/** KDFe (part 1 section 11.4.10.3): SP 800-56A, with the x coordinates of both parties. `bits`: whole octets. */
export function kdfe(
  hash: TpmHash,
  z: Uint8Array,
  label: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  bits: number,
): Uint8Array {
  return derive(bits, (counter) => digest(hash, counter, z, terminated(label), partyU, partyV));
}

function derive(bits: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  const octets = bits / 8;
  const blocks: Uint8Array[] = [];
  for (let made = 0; made < octets; made += blocks.at(-1)!.length) blocks.push(block(u32(blocks.length + 1)));
  return new Uint8Array(Buffer.concat(blocks, octets));
}

/** Labels are octet strings with their terminating zero. */
export function terminated(label: string): Uint8Array {
  return Buffer.from(`${label}\0`, 'latin1');
}

function u32(value: number): Uint8Array {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}
