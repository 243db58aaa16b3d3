import type { Choices } from './choices.ts';

const telling = [0, 10, 13, 32, 58, 0x30, 0x80, 0xff];

/** The bytes, a few of them set, inserted, deleted or repeated, or the rest of them cut off. */
export function editBytes(choices: Choices, original: Buffer, most = 4): Buffer {
  let result = original;
  for (let left = choices.between(1, most); left > 0; left -= 1) {
    const at = choices.below(result.length);
    const [before, after] = [result.subarray(0, at), result.subarray(at)];
    const byte = choices.chance(0.5) ? choices.pick(telling) : choices.below(256);
    const parts = choices.weighted([
      [4, [before, Buffer.of(byte), after.subarray(1)]],
      [4, [before, Buffer.of(byte), after]],
      [3, [before, after.subarray(1)]],
      [2, [before, after.subarray(0, byte), after]],
      [1, [before]],
    ]);
    result = Buffer.concat(parts);
  }
  return result;
}
