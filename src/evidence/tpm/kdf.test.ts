import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { requireClient } from '../../../test/clients.ts';
import { kdfa, kdfe, terminated } from './kdf.ts';

const [key, u, v] = [randomBytes(32), randomBytes(34), randomBytes(5)];

/** OpenSSL's derivation of so many octets. */
function openssl(
  program: string,
  name: string,
  octets: number,
  options: Readonly<Record<string, string>>,
): string {
  const words = Object.entries(options).flatMap(([option, value]) => ['-kdfopt', `${option}:${value}`]);
  const printed = execFileSync(program, ['kdf', '-keylen', String(octets), ...words, name], {
    encoding: 'utf8',
  });
  return printed.trim().replaceAll(':', '').toLowerCase();
}

const hashes = ['sha256', 'sha384', 'sha512'] as const;

suite('key derivation is that of OpenSSL', () => {
  test("KDFa: KBKDF, whose label ends with a zero and whose context both parties' are", (t) => {
    const program = requireClient(t, 'openssl');
    if (program === null) return;
    for (const hash of hashes) {
      for (const octets of [16, 32, 64, 100]) {
        const expected = openssl(program, 'KBKDF', octets, {
          mac: 'HMAC',
          digest: hash,
          hexkey: key.toString('hex'),
          salt: 'STORAGE',
          hexinfo: Buffer.concat([u, v]).toString('hex'),
        });
        assert.equal(kdfa(hash, key, 'STORAGE', u, v, octets * 8).toHex(), expected);
      }
    }
  });

  test('KDFe: SSKDF, whose info has the label and both parties', (t) => {
    const program = requireClient(t, 'openssl');
    if (program === null) return;
    for (const hash of hashes) {
      for (const octets of [16, 32, 64, 100]) {
        const expected = openssl(program, 'SSKDF', octets, {
          digest: hash,
          hexkey: key.toString('hex'),
          hexinfo: Buffer.concat([terminated('IDENTITY'), u, v]).toString('hex'),
        });
        assert.equal(kdfe(hash, key, 'IDENTITY', u, v, octets * 8).toHex(), expected);
      }
    }
  });
});
