import fc from 'fast-check';
import {
  type Extension,
  type GeneralName,
  type Name,
  type NameAttribute,
  type StringEncoding,
  der,
  formatIpAddress,
} from '#x509';

/** Records as parsers make them, with Object.prototype. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

/** Dotted OIDs, arcs of 128 bits among them. */
export const oidArbitrary: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt(0n, 39n)),
      fc.tuple(fc.constant(2n), fc.oneof(fc.bigInt(0n, 200n), fc.bigInt(0n, 2n ** 128n))),
    ),
    fc.array(fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n)), { maxLength: 4 }),
  )
  .map(([first, rest]) => [...first, ...rest].join('.'));

const alphabets: Readonly<Record<StringEncoding, fc.Arbitrary<string>>> = {
  utf8: fc.string({ unit: 'binary', maxLength: 20 }),
  printable: fc.stringMatching(/^[A-Za-z0-9 '()+,./:=?-]{0,20}$/),
  ia5: fc.string({ unit: fc.integer({ min: 1, max: 0x7f }).map((code) => String.fromCharCode(code)) }),
  teletex: fc.string({ unit: fc.integer({ min: 1, max: 0xff }).map((code) => String.fromCharCode(code)) }),
  bmp: fc.string({ unit: fc.constantFrom('a', 'é', '€', '語', '\u{ffee}') }),
  universal: fc.string({ unit: fc.constantFrom('a', 'é', '€', '語', '\u{1f512}') }),
  numeric: fc.stringMatching(/^[0-9 ]{0,20}$/),
};

export const nameAttributeArbitrary: fc.Arbitrary<NameAttribute> = fc
  .constantFrom<StringEncoding>('utf8', 'printable', 'ia5', 'teletex', 'bmp', 'universal', 'numeric')
  .chain((encoding) =>
    record({
      type: oidArbitrary,
      value: alphabets[encoding].filter((value) => !value.includes('\0')),
      encoding: fc.constant(encoding),
    }),
  );

/** Names as parsing gives them: the members of an RDN in DER's order. */
export const nameArbitrary: fc.Arbitrary<Name> = fc.array(
  fc.array(nameAttributeArbitrary, { minLength: 1, maxLength: 3 }).map((rdn) => rdn.toSorted(inDerOrder)),
  { maxLength: 4 },
);

function inDerOrder(a: NameAttribute, b: NameAttribute): number {
  return Buffer.compare(encoded(a), encoded(b));
}

function encoded({ type, value, encoding }: NameAttribute): Uint8Array {
  return der.sequence(der.oid(type), der.string(value, encoding));
}

const visibleText = fc.stringMatching(/^[ -~]{1,30}$/);
const elementArbitrary = fc.uint8Array({ maxLength: 20 }).map((bytes) => der.octetString(bytes).toBase64());

export const generalNameArbitrary: fc.Arbitrary<GeneralName> = fc.oneof(
  record({ kind: fc.constantFrom('dns', 'email', 'uri'), value: visibleText }),
  record({
    kind: fc.constant('ip'),
    value: fc
      .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
      .map(formatIpAddress),
  }),
  record({ kind: fc.constant('directoryName'), value: nameArbitrary }),
  record({ kind: fc.constant('otherName'), type: oidArbitrary, value: elementArbitrary }),
  record({ kind: fc.constant('registeredId'), value: oidArbitrary }),
  record({ kind: fc.constant('other'), tag: fc.constantFrom(3, 5), value: elementArbitrary }),
);

export const extensionsArbitrary: fc.Arbitrary<Extension[]> = fc.uniqueArray(
  record({ oid: oidArbitrary, critical: fc.boolean(), value: fc.uint8Array({ maxLength: 40 }) }),
  { minLength: 1, maxLength: 6, selector: ({ oid }) => oid },
);
