import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { saltedHash, saltLength } from './blob.ts';
import { canonicalJson } from './canonical-json.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { openEntry, SealedFields, sealEntry } from './sealed-entry.ts';

const salt = Buffer.alloc(saltLength, 7);
const fields = new SealedFields(['/a', '/b/c', '/b/d/e', '/list/*/name', '/list/*/deep/x']);

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const notItsDocument = (error: unknown) => isSallyportError(error, 'log', 'malformed', 'too-large');

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'list', 'name', 'deep', 'x', 'other', '__proto__');
/** Objects whose members are often those of the list, at the right places and at wrong ones. */
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, '', 'ida', 0, -1.5),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(names, tie('any'), { maxKeys: 5 }),
  ),
})).any;
const entries = fc
  .dictionary(names, value, { maxKeys: 8 })
  // As it comes out of a log.
  .map((entry) => decodeEntry(encodeEntry(entry)));

suite('sealing', () => {
  test('moves members into one document, whose salted hash the leaf names', () => {
    const entry = { a: 'ida', b: { c: ['x'], d: { e: 1, f: 2 } }, list: [{ name: 'n' }, { other: 1 }] };
    const { bytes, document } = sealEntry(entry, fields, salt);
    const { sealed, ...leaf } = decodeEntry(bytes);
    assert.deepEqual(leaf, { b: { d: { f: 2 } }, list: [{}, { other: 1 }] });
    assert.equal(text(document!.bytes), '{"/a":"ida","/b/c":["x"],"/b/d/e":1,"/list/0/name":"n"}');
    assert.equal(sealed, Buffer.from(saltedHash(salt, document!.bytes)).toString('hex'));
  });

  test('leaves what is null, and an entry without a member of the list as it is', () => {
    const entry = { a: null, b: [1], list: { name: 'n' }, other: { a: 1 } };
    const { bytes, document } = sealEntry(entry, fields, salt);
    assert.equal(document, null);
    assert.deepEqual(bytes, encodeEntry(entry));
  });

  test('does not change what it is given', () => {
    const entry = { a: 'ida', b: { c: 1 }, list: [{ name: 'n' }] };
    const before = structuredClone(entry);
    sealEntry(entry, fields, salt);
    assert.deepEqual(entry, before);
  });

  test('refuses an entry that is sealed already, and one with more than a document may hold', () => {
    assert.throws(
      () => sealEntry({ sealed: 'x' }, fields, salt),
      (error) => isSallyportError(error, 'malformed'),
    );
    assert.throws(
      () => sealEntry({ a: 'x'.repeat(65_536) }, fields, salt),
      (error) => isSallyportError(error, 'too-large'),
    );
  });
});

suite('opening', () => {
  test('gives what was sealed back, byte for byte', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        fc.pre(!Object.hasOwn(entry, 'sealed'));
        const { bytes, document } = sealEntry(entry, fields, salt);
        const opened = document === null ? decodeEntry(bytes) : openEntry(bytes, document, fields);
        assert.deepEqual(encodeEntry(opened), encodeEntry(entry));
      }),
    );
  });

  test('leaves nothing of a sealed value in the leaf', () => {
    const secret = fc.stringMatching(/^ida-[a-z]{8}$/);
    fc.assert(
      fc.property(entries, secret, (entry, name) => {
        const whole = { ...entry, a: name, b: { c: { name }, d: { e: [name] } }, list: [{ name }] };
        assert.equal(text(sealEntry(whole, fields, salt).bytes).includes(name), false);
      }),
    );
  });

  test('refuses every other document, with a typed error', () => {
    const { bytes, document } = sealEntry({ a: 'ida', b: { c: 1 }, list: [{}] }, fields, salt);
    const others = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.json().map((json) => Buffer.from(json)),
      fc
        .dictionary(
          fc.constantFrom('/a', '/b/c', '/b', '', 'a', '/x/y', '/list/0/name', '/list/0', '/__proto__/a'),
          value,
        )
        .map((members) => Buffer.from(canonicalJson(members))),
    );
    fc.assert(
      fc.property(others, (other) => {
        fc.pre(Buffer.compare(other, document!.bytes) !== 0);
        assert.throws(() => openEntry(bytes, { salt, bytes: other }, fields), notItsDocument);
      }),
    );
  });

  test('refuses the right document with another salt, in another form, or for an entry that names none', () => {
    const entry = { a: 'ida', b: { c: 1 } };
    const { bytes, document } = sealEntry(entry, fields, salt);
    const spaced = Buffer.from(`${text(document!.bytes)} `);
    for (const [leaf, other] of [
      [bytes, { salt: Buffer.alloc(saltLength, 8), bytes: document!.bytes }],
      [bytes, { salt, bytes: spaced }],
      [bytes, { salt, bytes: Buffer.alloc(65_536, 0x20) }],
      [encodeEntry(entry), document!],
    ] as const) {
      assert.throws(() => openEntry(leaf, other, fields), notItsDocument);
    }
  });

  test('refuses a leaf from which more, or less, was taken than the list says, whose address fits all the same', () => {
    const entry = { a: 'ida', b: { c: 1 }, verdict: 'deny' };
    for (const list of [['/a'], ['/a', '/b/c', '/verdict'], ['/a', '/b']]) {
      const { bytes, document } = sealEntry(entry, new SealedFields(list), salt);
      assert.throws(
        () => openEntry(bytes, document!, fields),
        (error) => isSallyportError(error, 'log'),
        list.join(),
      );
    }
  });

  test('makes no prototype of a member of that name', () => {
    const own = new SealedFields(['/x/__proto__']);
    const entry = decodeEntry(Buffer.from('{"x":{"__proto__":{"admin":true}}}'));
    const { bytes, document } = sealEntry(entry, own, salt);
    const opened = openEntry(bytes, document!, own);
    assert.equal(({} as { admin?: boolean }).admin, undefined);
    assert.equal((opened['x'] as { admin?: boolean }).admin, undefined);
    assert.deepEqual(encodeEntry(opened), encodeEntry(entry));
  });
});
