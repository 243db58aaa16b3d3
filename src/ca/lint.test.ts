import { generateSoftwareKey } from '#keys';
import { type Der, encodeTbsCertificate } from '#x509';
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { exampleAuthority, examplePlan } from './example-authority.fixture.ts';
import { lint, lintedContent, LintedTbs, lintFindings } from './lint.ts';
import { buildTbs, tbsFields } from './tbs.ts';

const { issuer } = await exampleAuthority();
const { spki } = await generateSoftwareKey('ec-p256');
const plan = examplePlan(spki);
const tbs = buildTbs(plan, issuer);

function wellFormedOnly(bytes: Der): void {
  assert.deepEqual(
    lintFindings(bytes, plan, issuer).map(({ rule }) => rule),
    ['well-formed'],
  );
}

test('bytes that keep every rule become a LintedTbs that knows their hash', () => {
  const linted = lint(tbs, plan, issuer);
  assert.equal(linted.tbsHash, hash('sha256', tbs));
});

test('a broken rule is an error that names rule, source and reason', () => {
  const wrong = buildTbs({ ...plan, serialNumber: '01' }, issuer);
  assert.throws(
    () => lint(wrong, plan, issuer),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'lint');
      assert.match(error.message, /template wifi/u);
      assert.match(error.message, /serial-number \(RFC 5280 section 4\.1\.2\.2\)/u);
      assert.match(error.message, /serial-number-as-planned/u);
      return true;
    },
  );
});

test('bytes that are no to-be-signed certificate are a finding, not a crash', () => {
  wellFormedOnly(new Uint8Array());
  wellFormedOnly(tbs.subarray(0, -1));
  wellFormedOnly(Uint8Array.of(...tbs, 0));
  wellFormedOnly(issuer.certificate.der);
});

test('an extension twice is not well formed (RFC 5280 section 4.2)', () => {
  const fields = tbsFields(plan, issuer);
  wellFormedOnly(
    encodeTbsCertificate({ ...fields, extensions: [...fields.extensions, ...fields.extensions.slice(0, 1)] }),
  );
});

test('any one bit flipped is found', () => {
  for (let index = 0; index < tbs.length; index += 1) {
    const flipped = new Uint8Array(tbs);
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
    assert.notEqual(lintFindings(flipped, plan, issuer).length, 0, `byte ${index}`);
  }
});

test('what was linted stays what it was when the bytes change afterwards', () => {
  const own = new Uint8Array(tbs);
  const linted = lint(own, plan, issuer);
  own.fill(0);
  assert.deepEqual(lintedContent(linted).tbs, tbs);
});

test('nothing but lint makes a LintedTbs', () => {
  const content = lintedContent(lint(tbs, plan, issuer));
  assert.throws(() => new LintedTbs(Symbol('sealing'), content), { code: 'mandate' });
  const forgeries: unknown[] = [
    Object.create(LintedTbs.prototype),
    { tbsHash: content.tbsHash },
    structuredClone(lint(tbs, plan, issuer)),
    Object.setPrototypeOf({ ...content }, LintedTbs.prototype),
    new Proxy(lint(tbs, plan, issuer), {}),
    null,
    undefined,
  ];
  for (const forgery of forgeries) {
    assert.throws(() => lintedContent(forgery as LintedTbs), { code: 'mandate' });
  }
});
