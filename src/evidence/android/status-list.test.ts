import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { appraise } from '../appraise.ts';
import { nonce, now } from '../evidence.fixture.ts';
import { examine } from '../examine.ts';
import { androidEvidence, androidValues } from './android.fixture.ts';
import { parseStatusList, revocationStatusOf } from './status-list.ts';

function list(entries: Readonly<Record<string, unknown>>, others: object = {}): Buffer {
  return Buffer.from(JSON.stringify({ ...others, entries }));
}

const examination = examine(androidEvidence(), nonce);
const entry = { status: 'REVOKED', reason: 'KEY_COMPROMISE' };

test('status list: entries by serial number, and the name of the list', () => {
  const bytes = list({ '2c8cdddfd5e03bfc': { ...entry, expires: '2027-01-01', comment: 'x' }, c: entry });
  assert.deepEqual(parseStatusList(bytes), {
    sha256: hash('sha256', bytes),
    entries: new Map([
      ['2c8cdddfd5e03bfc', 'REVOKED'],
      ['c', 'REVOKED'],
    ]),
  });
});

suite('status list: of evidence', () => {
  const statusBy = (entries: Readonly<Record<string, unknown>>) =>
    revocationStatusOf(parseStatusList(list(entries)), examination, now);

  test('nothing of it is listed', () => {
    assert.deepEqual(statusBy({ '1234': entry }).revoked, []);
  });
  for (const [role, serialNumber] of Object.entries({ attestation: 'aff', server: 'b', root: 'd' })) {
    for (const status of ['REVOKED', 'SUSPENDED', 'SOMETHING_NEW']) {
      test(`the certificate of ${role} is ${status}: revocation`, () => {
        const seen = statusBy({ [serialNumber]: { status } });
        assert.deepEqual(seen.revoked, [{ serialNumber, status }]);
        const { objections } = appraise(examination, androidValues(), seen, now);
        assert.deepEqual(
          objections.map(({ check }) => check),
          ['revocation'],
        );
      });
    }
  }
  test('a serial number in upper case, or with zeros before it, is the same', () => {
    assert.equal(statusBy({ '00AFF': entry }).revoked.length, 1);
  });
});

suite('status list: refused', () => {
  const refused: Readonly<Record<string, Uint8Array>> = {
    nothing: new Uint8Array(),
    'no JSON': Buffer.from('<html>'),
    'no UTF-8': Buffer.from(list({}, { comment: 'é' }).toString(), 'latin1'),
    'a list': Buffer.from('[]'),
    'no entries': Buffer.from('{}'),
    'entries that are a list': Buffer.from('{"entries":[]}'),
    'a serial number that is not hexadecimal': list({ '12:34': entry }),
    'a serial number too long': list({ ['a'.repeat(65)]: entry }),
    'an entry that is null': list({ ab: null }),
    'an entry without a status': list({ ab: { reason: 'KEY_COMPROMISE' } }),
    'a status that is no word': list({ ab: { status: 'not revoked' } }),
  };
  for (const [what, bytes] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(
        () => parseStatusList(bytes),
        (error) => isSallyportError(error, 'malformed'),
      );
    });
  }
  test('more octets, or more entries, than we read', () => {
    const many = Object.fromEntries(Array.from({ length: 200_001 }, (_, i) => [i.toString(16), entry]));
    for (const bytes of [Buffer.alloc(16 * 1024 * 1024 + 1, ' '), list(many)]) {
      assert.throws(
        () => parseStatusList(bytes),
        (error) => isSallyportError(error, 'too-large'),
      );
    }
  });
});

test('status list: arbitrary octets and JSON give a value or a SallyportError', () => {
  const json = fc.json().map((each) => Buffer.from(each));
  const nearly = fc.dictionary(fc.string(), fc.jsonValue()).map((entries) => list(entries));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), json, nearly), (bytes) => {
      try {
        parseStatusList(bytes);
      } catch (error) {
        assert.ok(isSallyportError(error, 'malformed', 'too-large'), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
