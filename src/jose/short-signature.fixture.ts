import { createECDH, hash } from 'node:crypto';
import { der, oids } from '#x509';
import { powerModulo } from '../../test/harness/modular.ts';

const p = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n;
const b = 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn;
/** The order of the base point of P-384. */
const n = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n;

/**
 * A P-384 key under which R = S = r, a small number, is an ECDSA signature with SHA-256 over `data`. For a point (r, y) the signature
 * verifies under the key (r, y) - (e / r) G, whose private half nobody knows. `long` has it in 96 octets, `short` in 64.
 */
export function keyOfShortSignature(data: Uint8Array) {
  const r = [...Array(100).keys()].map((i) => BigInt(i + 1)).find((x) => yOf(x) !== null) ?? 0n;
  const e = BigInt(`0x${hash('sha256', data)}`);
  const multiple = mod(-e * powerModulo(r, n - 2n, n), n);
  const point = add([r, yOf(r) ?? 0n], baseTimes(multiple));
  const spki = der.sequence(
    der.sequence(der.oid(oids.ecPublicKey), der.oid(oids.secp384r1)),
    der.bitString(Uint8Array.of(4, ...octets(point[0], 48), ...octets(point[1], 48))),
  );
  const twice = (size: number) => Uint8Array.of(...octets(r, size), ...octets(r, size));
  return { spki, signature: { long: twice(48), short: twice(32) } };
}

type Point = readonly [x: bigint, y: bigint];

/** p is 3 modulo 4. null: no point has this x. */
function yOf(x: bigint): bigint | null {
  const square = mod(x ** 3n - 3n * x + b, p);
  const root = powerModulo(square, (p + 1n) / 4n, p);
  return (root * root) % p === square ? root : null;
}

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const slope = mod((y2 - y1) * powerModulo(mod(x2 - x1, p), p - 2n, p), p);
  const x = mod(slope * slope - x1 - x2, p);
  return [x, mod(slope * (x1 - x) - y1, p)];
}

function baseTimes(factor: bigint): Point {
  const ecdh = createECDH('secp384r1');
  ecdh.setPrivateKey(octets(factor, 48));
  const point = ecdh.getPublicKey('hex');
  return [BigInt(`0x${point.slice(2, 98)}`), BigInt(`0x${point.slice(98)}`)];
}

function mod(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}

function octets(value: bigint, size: number): Uint8Array {
  return Uint8Array.fromHex(value.toString(16).padStart(2 * size, '0'));
}
