import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { parseAttestationBundle } from '../attestation-bundle.ts';
import { EvidenceRefused } from '../evidence-refused.ts';
import { examine } from '../examine.ts';
import { parseAttest } from './attest.ts';
import { parseCreationData } from './creation-data.ts';
import { parsePublic } from './public-area.ts';
import { parseSignature } from './signature.ts';
import { defaultKeys, makeBundle, makeObject, makeParts, nonce, rsaKey } from './statement.fixture.ts';
import { encodeAttest, encodeCreationData, ids } from './structures.fixture.ts';

const rsa = rsaKey();
const given = { toBeSigned: nonce, token: nonce };
const object = (bytes: Uint8Array) => examine({ envelope: 'attestation-object', bytes }, given);
const bundle = (bytes: Uint8Array) => examine({ envelope: 'attestation-bundle', bytes }, given);

/** Every parser with honest inputs of its own. */
const parsers: Readonly<Record<string, readonly [(bytes: Uint8Array) => unknown, ...Uint8Array[]]>> = {
  parsePublic: [
    parsePublic,
    defaultKeys.attested.publicArea(),
    rsa.publicArea({ authPolicy: new Uint8Array(48), nameAlg: ids.sha384 }),
  ],
  parseAttest: [(bytes) => parseAttest(bytes, 'certify'), encodeAttest({ extraData: nonce })],
  parseSignature: [
    parseSignature,
    makeParts().signature,
    makeParts({ attestationKey: rsa, scheme: 'rsapss' }).signature,
  ],
  parseCreationData: [parseCreationData, encodeCreationData({ outsideInfo: nonce })],
  parseAttestationBundle: [parseAttestationBundle, makeBundle()],
  'examine of an attestation object': [
    object,
    makeObject(),
    makeObject({ attestationKey: rsa, form: 'raw' }),
  ],
  'examine of an attestation bundle': [bundle, makeBundle()],
};

/** A value, or what a stranger's octets may cause. */
function answer(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    parse(bytes);
  } catch (error) {
    const isExpected =
      error instanceof EvidenceRefused || isSallyportError(error, 'malformed', 'unsupported', 'too-large');
    assert.ok(isExpected, String(error));
  }
}

function mutated(originals: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({ at: fc.nat(), remove: fc.nat(4), insert: fc.uint8Array({ maxLength: 4 }) });
  return fc
    .tuple(fc.constantFrom(...originals), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([original, edits]) =>
      edits.reduce<Uint8Array>((bytes, { at, remove, insert }) => {
        const start = at % (bytes.length + 1);
        return Uint8Array.of(...bytes.subarray(0, start), ...insert, ...bytes.subarray(start + remove));
      }, original),
    );
}

for (const [name, [parse, ...originals]] of Object.entries(parsers)) {
  suite(`${name} gives a value or a fault`, () => {
    test('for what it is made for: a value', () => {
      for (const original of originals) assert.doesNotThrow(() => parse(original));
    });

    test('for arbitrary octets', () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => answer(parse, bytes)));
    });

    test('for honest ones changed', () => {
      fc.assert(
        fc.property(mutated(originals), (bytes) => answer(parse, bytes)),
        { numRuns: 500 },
      );
    });

    test('for every prefix, and never a whole one but the last', () => {
      for (const original of originals) {
        for (let length = 0; length < original.length; length += 1) {
          const prefix = original.subarray(0, length);
          if (name.startsWith('examine')) assert.notEqual(faultOf(parse(prefix)), null);
          else assert.throws(() => parse(prefix));
        }
      }
    });

    test('for a mebibyte of anything, in bounded time', () => {
      const started = performance.now();
      for (const fill of [0, 0x30, 0x58, 0xff]) answer(parse, new Uint8Array(2 ** 20).fill(fill));
      assert.ok(performance.now() - started < 2000);
    });
  });
}

function faultOf(examination: unknown): unknown {
  return (examination as ReturnType<typeof examine>).fault;
}
