import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type ErrorCode, isSallyportError } from '#errors';
import { der } from '#x509';
import { parseAttestationBundle, statementTypes } from './attestation-bundle.ts';
import { encodeBundle, root } from './tpm/statement.fixture.ts';

const value = der.octetString(Uint8Array.of(1));
const statement = ['1.2.3', value] as const;
const other = der.implicitConstructed(3, der.oid('1.2.3'), value);

suite('AttestationBundle (draft-ietf-lamps-csr-attestation-30 section 4.1)', () => {
  test('statements and certificates come back in their order', () => {
    const bundle = parseAttestationBundle(encodeBundle([statement, ['2.25.7', der.null()]], [root, root]));
    assert.deepEqual(
      bundle.statements.map(({ type, value, hasHint }) => [type, value.der.toHex(), hasHint]),
      [
        ['1.2.3', '040101', false],
        ['2.25.7', '0500', false],
      ],
    );
    assert.deepEqual(bundle.certificates, [root, root]);
  });

  test('without certificates', () => {
    assert.deepEqual(parseAttestationBundle(encodeBundle([statement])).certificates, []);
  });

  test('a certificate of another kind is passed over', () => {
    assert.deepEqual(parseAttestationBundle(encodeBundle([statement], [other, root])).certificates, [root]);
  });

  test('the hint of older drafts is passed over, whatever its string type', () => {
    for (const hint of [der.utf8String('verifier'), der.ia5String('verifier')]) {
      const [found] = parseAttestationBundle(encodeBundle([['1.2.3', value, hint]])).statements;
      assert.equal(found?.hasHint, true);
      assert.equal(found.value.der.toHex(), '040101');
    }
  });

  test('our own statement type is of an arc that a UUID registers', () => {
    const arc = BigInt(statementTypes.attestationObject.replace('2.25.', ''));
    assert.ok(arc > 0n && arc < 2n ** 128n);
  });

  const many = (count: number) => Array.from({ length: count }, () => statement);
  for (const [code, what, bytes] of [
    ['malformed', 'no statement', encodeBundle([])],
    [
      'malformed',
      'an empty list of certificates',
      der.sequence(der.sequence(der.sequence(der.oid('1.2.3'), value)), der.sequence()),
    ],
    ['malformed', 'a statement with something after it', encodeBundle([['1.2.3', value, der.null()]])],
    ['malformed', 'a statement without a value', der.sequence(der.sequence(der.sequence(der.oid('1.2.3'))))],
    ['malformed', 'a certificate that is none', encodeBundle([statement], [value])],
    [
      'malformed',
      'a field too many',
      der.sequence(der.sequence(der.sequence(der.oid('1.2.3'), value)), der.sequence(root), der.null()),
    ],
    ['too-large', 'nine statements', encodeBundle(many(9))],
    [
      'too-large',
      'eleven certificates',
      encodeBundle(
        [statement],
        Array.from({ length: 11 }, () => root),
      ),
    ],
    [
      'too-large',
      'a certificate of more than 8 KiB',
      encodeBundle([statement], [der.sequence(der.octetString(new Uint8Array(8192)))]),
    ],
    ['too-large', 'more than 64 KiB', encodeBundle([['1.2.3', der.octetString(new Uint8Array(65_536))]])],
  ] as readonly (readonly [ErrorCode, string, Uint8Array])[]) {
    test(`${what} is ${code}`, () => {
      assert.throws(
        () => parseAttestationBundle(bytes),
        (error) => isSallyportError(error, code),
      );
    });
  }
});
