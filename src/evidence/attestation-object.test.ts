import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { encode } from 'cborg';
import fc from 'fast-check';
import { type ErrorCode, isSallyportError } from '#errors';
import { parseAttestationObject } from './attestation-object.ts';
import { nonce } from './evidence.fixture.ts';
import { examine } from './examine.ts';

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(' ', ''));
}

function assertRefused(act: () => unknown, ...codes: ErrorCode[]): void {
  assert.throws(act, (error) => isSallyportError(error, ...codes));
}

const fmt = '63 666d74 65 6170706c65';
const attStmt = '67 61747453746d74';
const x5c = '63 783563';
const valid = `a2 ${fmt} ${attStmt} a1 ${x5c} 81 41 30`;

test('attestation object: format and certificates, and authData is of no interest', () => {
  for (const bytes of [
    hex(valid),
    encode({ attStmt: { x5c: [hex('30')] }, fmt: 'apple', authData: hex('00') }),
  ]) {
    const { format, statement } = parseAttestationObject(bytes);
    assert.equal(format, 'apple');
    assert.deepEqual(statement.certificates(), [hex('30')]);
  }
});

suite('attestation object: malformed', () => {
  const refused: Readonly<Record<string, string>> = {
    nothing: '',
    'no map': '80',
    'a map of another thing': 'a1 61 61 01',
    'no format': `a1 ${attStmt} a0`,
    'a format that is no text': `a2 63 666d74 45 6170706c65 ${attStmt} a0`,
    'no statement': `a1 ${fmt}`,
    'a statement that is no map': `a2 ${fmt} ${attStmt} 80`,
    'another member': `a3 ${fmt} ${attStmt} a0 61 61 01`,
    'a member whose name is no text': `a3 ${fmt} ${attStmt} a0 01 01`,
    'a key twice': `a3 ${fmt} ${fmt} ${attStmt} a0`,
    'a key twice in the statement': `a2 ${fmt} ${attStmt} a2 ${x5c} 81 41 30 ${x5c} 81 41 31`,
    'a map of indefinite length': `bf ${fmt} ${attStmt} a0 ff`,
    'a list of indefinite length': `a2 ${fmt} ${attStmt} a1 ${x5c} 9f 41 30 ff`,
    'octets of indefinite length': `a2 ${fmt} ${attStmt} a1 ${x5c} 81 5f 41 30 ff`,
    'a length in more octets than it needs': `a2 ${fmt} ${attStmt} a1 ${x5c} 81 58 01 30`,
    'a tag': `a2 ${fmt} ${attStmt} a1 ${x5c} 81 c2 41 30`,
    'a tag around everything': `d9 d9f7 ${valid}`,
    undefined: `a2 ${fmt} ${attStmt} a1 ${x5c} f7`,
    'no number': `a2 ${fmt} ${attStmt} a1 ${x5c} f9 7e00`,
    'an integer of more than 53 bits': `a2 ${fmt} ${attStmt} a1 ${x5c} 1b 1000000000000000`,
    infinity: `a2 ${fmt} ${attStmt} a1 ${x5c} f9 7c00`,
    'octets after its end': `${valid} 00`,
    'another object after its end': `${valid} ${valid}`,
    'an end too early': valid.slice(0, -3),
  };
  for (const [what, text] of Object.entries(refused)) {
    test(what, () => assertRefused(() => parseAttestationObject(hex(text)), 'malformed'));
  }
  test('nested as deep as it is long', () => {
    for (const opening of ['81', 'a1 00']) {
      const deep = hex(`a2 ${fmt} ${attStmt} ${opening.repeat(30_000)} 00`);
      assertRefused(() => parseAttestationObject(deep), 'malformed');
    }
  });
});

suite('attestation object: limits', () => {
  const statementOf = (members: object) =>
    parseAttestationObject(encode({ fmt: 'apple', attStmt: members })).statement;

  test('64 KiB', () => {
    assertRefused(() => parseAttestationObject(new Uint8Array(65_537)), 'too-large');
    assertRefused(() => parseAttestationObject(new Uint8Array(65_536)), 'malformed');
  });
  test('ten certificates of 8 KiB', () => {
    const ten = Array.from({ length: 10 }, () => hex('30'));
    assert.equal(statementOf({ x5c: ten }).certificates().length, 10);
    assertRefused(() => statementOf({ x5c: [...ten, hex('30')] }).certificates(), 'too-large');
    assertRefused(() => statementOf({ x5c: [new Uint8Array(8193)] }).certificates(), 'too-large');
    assert.equal(statementOf({ x5c: [new Uint8Array(8192)] }).certificates()[0]?.length, 8192);
  });
  test('certificates are octets, and at least one', () => {
    for (const members of [{}, { x5c: [] }, { x5c: hex('30') }, { x5c: ['MIIB'] }, { x5c: [hex('30'), 1] }]) {
      assertRefused(() => statementOf(members).certificates(), 'malformed');
    }
  });
});

test('attestation object: members are of the type that is asked for', () => {
  const { statement } = parseAttestationObject(
    encode({ fmt: 'x', attStmt: { octets: hex('41 30'), text: 'text', integer: -7, fraction: 1.5 } }),
  );
  assert.deepEqual(statement.bytes('octets'), hex('41 30'));
  assert.deepEqual(statement.bytesInBytes('octets'), hex('30'));
  assert.equal(statement.text('text'), 'text');
  assert.equal(statement.integer('integer'), -7);
  assert.equal(statement.has('text'), true);
  assert.equal(statement.has('toString'), false);
  for (const act of [
    () => statement.bytes('text'),
    () => statement.bytes('absent'),
    () => statement.bytesInBytes('text'),
    () => statement.text('octets'),
    () => statement.integer('text'),
    () => statement.integer('fraction'),
    () => statement.requireNames(['octets', 'text', 'integer']),
  ]) {
    assertRefused(act, 'malformed');
  }
});

suite('evidence that cannot be read is examined all the same', () => {
  const examined = (bytes: Uint8Array) => examine({ envelope: 'attestation-object', bytes }, nonce);

  test('no CBOR: malformed, of no format', () => {
    const { format, fault, statement, certificates } = examined(hex('ff'));
    assert.deepEqual([format, fault?.check, statement, certificates], [null, 'malformed', null, []]);
  });
  test('a format that nobody reads here: format', () => {
    for (const name of ['packed', 'fido-u2f', 'none', 'constructor', '__proto__', 'idevid', 'external', '']) {
      const { format, fault } = examined(encode({ fmt: name, attStmt: { x5c: [hex('30')] } }));
      assert.deepEqual([format, fault?.check], [name === '' ? null : 'external', 'format'], name);
    }
  });
  test('certificates that do not parse are kept as they were sent', () => {
    const { format, fault, certificates } = examined(hex(valid));
    assert.deepEqual([format, fault?.check, certificates], ['apple', 'malformed', ['MA==']]);
  });
});

suite('attestation object: arbitrary octets give a value or a SallyportError, and are examined', () => {
  function assertTyped(bytes: Uint8Array): void {
    try {
      parseAttestationObject(bytes).statement.certificates();
    } catch (error) {
      assert.ok(isSallyportError(error, 'malformed', 'too-large'), String(error));
    }
    assert.notEqual(examine({ envelope: 'attestation-object', bytes }, nonce).fault, null);
  }

  test('any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), assertTyped), { numRuns: 1000 });
  });
  test('any CBOR in the place of a statement', () => {
    const value = fc.anything({ withTypedArray: true, maxDepth: 3, withNullPrototype: false });
    const names = fc.constantFrom('android-key', 'apple', 'step');
    const statement = fc.dictionary(fc.constantFrom('x5c', 'alg', 'sig', 'ver'), value);
    fc.assert(
      fc.property(names, fc.oneof(statement, value), (name, attStmt) => {
        assertTyped(encode({ fmt: name, attStmt }));
      }),
      { numRuns: 1000 },
    );
  });
});
