import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { derFromBer } from './der-from-ber.ts';
import { defaultDerLimits } from './der-limits.ts';
import { der } from './der-writer.ts';
import type { Der } from './der-node.ts';

const convert = (bytes: Uint8Array, limits = {}) => derFromBer(bytes, { ...defaultDerLimits, ...limits });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const fromHex = (text: string) => Uint8Array.fromHex(text.replaceAll(' ', ''));

/** An element, and one of the ways in which BER may write it. */
interface Written {
  readonly der: Der;
  readonly ber: Uint8Array;
}

/** A length in more octets than it needs, or none and an end. */
function berElement(tag: number, content: Uint8Array, form: number): Uint8Array {
  if (form === 0 && (tag & 0x20) !== 0) {
    return Buffer.concat([Uint8Array.of(tag, 0x80), content, Uint8Array.of(0, 0)]);
  }
  const octets = Buffer.alloc(3 + form);
  octets.writeUInt32BE(content.length, octets.length - 4);
  return Buffer.concat([Uint8Array.of(tag, 0x80 | octets.length), octets, content]);
}

const form = fc.integer({ min: 0, max: 5 });
const octets = fc.uint8Array({ maxLength: 20 });

const octetString: fc.Arbitrary<Written> = fc
  .letrec<{ pieces: { value: Uint8Array; ber: Uint8Array } }>((tie) => ({
    pieces: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.tuple(octets, form).map(([value, as]) => ({ value, ber: berElement(0x04, value, as + 1) })),
      fc.tuple(fc.array(tie('pieces'), { maxLength: 4 }), form).map(([pieces, as]) => ({
        value: Buffer.concat(pieces.map(({ value }) => value)),
        ber: berElement(0x24, Buffer.concat(pieces.map(({ ber }) => ber)), as),
      })),
    ),
  }))
  .pieces.map(({ value, ber }) => ({ der: der.octetString(value), ber }));

const element: fc.Arbitrary<Written> = fc.letrec<{ any: Written }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    octetString,
    fc
      .tuple(fc.constantFrom(0x02, 0x06, 0x0c, 0x80, 0x41), octets, form)
      .map(([tag, content, as]) => ({ der: withTag(tag, content), ber: berElement(tag, content, as + 1) })),
    fc
      .tuple(fc.constantFrom(0x30, 0x31, 0xa0, 0xa3), fc.array(tie('any'), { maxLength: 5 }), form)
      .map(([tag, parts, as]) => ({
        der: withTag(tag, Buffer.concat(parts.map((part) => part.der))),
        ber: berElement(tag, Buffer.concat(parts.map((part) => part.ber)), as),
      })),
  ),
})).any;

function withTag(tag: number, content: Uint8Array): Uint8Array {
  const bytes = Buffer.from(der.octetString(content));
  bytes[0] = tag;
  return bytes;
}

describe('derFromBer', () => {
  test('gives the DER of whatever way BER writes it', () => {
    fc.assert(fc.property(element, (written) => assert.equal(hex(convert(written.ber)), hex(written.der))));
  });

  test('leaves DER as it is', () => {
    fc.assert(fc.property(element, (written) => assert.equal(hex(convert(written.der)), hex(written.der))));
  });

  test('answers any octets with an element or a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          assert.ok(convert(bytes).length >= 2);
        } catch (error) {
          assert.ok(isSallyportError(error), String(error));
        }
      }),
    );
  });

  for (const [what, bytes, words] of [
    ['nothing', '', /cut off/],
    ['an element that is cut off', '30 05 02 01', /longer than what holds it/],
    ['a length that is cut off', '30 84 00 00', /cut off/],
    ['a length beyond all numbers', `30 fe ${'ff'.repeat(126)}`, /longer than what holds it/],
    ['an indefinite length without its end', '30 80 02 01 01', /without its end/],
    ['an indefinite length without its end, inside', '30 05 30 80 02 01 01', /without its end/],
    ['an end where none is due', '30 02 00 00', /none is due/],
    ['a primitive element of indefinite length', '04 80 00 00', /indefinite length of a primitive/],
    ['pieces of another type', '24 03 02 01 01', /expected OCTET STRING/],
    ['octets behind it', '02 01 01 00', /trailing/],
    ['a long tag', '3f 81 01 00', /tag numbers above 30/],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.throws(() => convert(fromHex(bytes)), { code: 'malformed', message: words });
    });
  }

  test('refuses what is too much of it', () => {
    const nested = (depth: number) => fromHex(`${'3080'.repeat(depth)}${'0000'.repeat(depth)}`);
    assert.equal(convert(nested(32)).length, 64);
    assert.throws(() => convert(nested(33)), { code: 'too-large', message: /deeper/ });
    assert.throws(() => convert(nested(10_000)), { code: 'too-large', message: /deeper/ });
    const many = fromHex(`3080${'0500'.repeat(4096)}0000`);
    assert.throws(() => convert(many), { code: 'too-large', message: /elements/ });
    assert.throws(() => convert(nested(3), { maximumBytes: 11 }), { code: 'too-large', message: /12 bytes/ });
  });
});
