import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyRoot, leafHash, nodeHash } from '#audit';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('RFC 9162 section 2.1.1: the empty tree is the hash of an empty string', () => {
  assert.equal(hex(emptyRoot()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('RFC 9162 section 2.1.1: the leaf of an empty entry is the hash of one zero octet', () => {
  assert.equal(
    hex(leafHash(Buffer.alloc(0))),
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  );
});

test('RFC 9162 section 2.1.1: an entry of two hashes is not the node over them', () => {
  const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  assert.notDeepEqual(leafHash(Buffer.concat([left, right])), nodeHash(left, right));
});

test('a node keeps no reference to a buffer that later nodes reuse', () => {
  const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  const first = nodeHash(left, right);
  const before = hex(first);
  nodeHash(right, left);
  assert.equal(hex(first), before);
});

test('a node is over hashes of 32 octets only', () => {
  const hash = leafHash(Buffer.from('a'));
  assert.throws(() => nodeHash(hash.subarray(1), hash), { code: 'malformed' });
  assert.throws(() => nodeHash(hash, Buffer.concat([hash, hash])), { code: 'malformed' });
});
