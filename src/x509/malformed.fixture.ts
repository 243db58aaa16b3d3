import assert from 'node:assert/strict';
import { type ErrorCode, isSallyportError } from '#errors';

/** Asserts that a SallyportError of this code is thrown. */
export function assertRefused(code: ErrorCode, act: () => unknown, message?: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(isSallyportError(error, code), `expected ${code}, got ${String(error)}`);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

/** Octets from hexadecimal with spaces. */
export function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(' ', ''));
}
