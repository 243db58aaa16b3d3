import { hash } from 'node:crypto';
import { parseCertificate } from '#x509';
import { powerModulo } from '../../test/harness/modular.ts';

/* Public key recovery (SEC 1 section 4.1.6) on P-256: an ECDSA signature verifies under two keys, and nobody needs a private one to find the other. */

type Point = readonly [x: bigint, y: bigint];

const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const generator: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

const modulo = (value: bigint, modulus: bigint) => ((value % modulus) + modulus) % modulus;

const inverse = (value: bigint, modulus: bigint) => powerModulo(value, modulus - 2n, modulus);

function sum(left: Point | null, right: Point | null): Point | null {
  if (left === null) return right;
  if (right === null) return left;
  const [[x1, y1], [x2, y2]] = [left, right];
  if (x1 === x2 && modulo(y1 + y2, p) === 0n) return null;
  const slope =
    x1 === x2
      ? modulo((3n * x1 * x1 - 3n) * inverse(2n * y1, p), p)
      : modulo((y2 - y1) * inverse(x2 - x1, p), p);
  const x = modulo(slope * slope - x1 - x2, p);
  return [x, modulo(slope * (x1 - x) - y1, p)];
}

function multiple(factor: bigint, point: Point): Point {
  let result: Point | null = null;
  let doubled: Point | null = point;
  for (let left = modulo(factor, n); left > 0n; left >>= 1n) {
    if (left & 1n) result = sum(result, doubled);
    doubled = sum(doubled, doubled);
  }
  return result!;
}

/** SubjectPublicKeyInfo of the other P-256 key under which the signature of the certificate (ECDSA with SHA-256) verifies. */
export function twinKey(certificate: Uint8Array, own: Uint8Array): Uint8Array<ArrayBuffer> {
  const { tbs, signature } = parseCertificate(certificate);
  const octets = signature[3]!;
  const r = BigInt(`0x${signature.subarray(4, 4 + octets).toHex()}`);
  const s = BigInt(`0x${signature.subarray(6 + octets).toHex()}`);
  const z = BigInt(`0x${hash('sha256', tbs)}`);
  const y = powerModulo(r * r * r - 3n * r + b, (p + 1n) / 4n, p);
  const prefix = own.subarray(0, own.length - 64);
  const keys = [y, p - y].map((each) => {
    const [x, other] = multiple(
      inverse(r, n),
      sum(multiple(s, [r, each]), multiple(n - modulo(z, n), generator))!,
    );
    const point = [x, other].map((value) => value.toString(16).padStart(64, '0')).join('');
    return new Uint8Array(Buffer.concat([prefix, Buffer.from(point, 'hex')]));
  });
  return keys.find((each) => Buffer.compare(each, own) !== 0)!;
}
