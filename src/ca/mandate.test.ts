import { generateSoftwareKey } from '#keys';
import type { Verdict } from '#policy';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  exampleAdmission,
  exampleAuthority,
  examplePlan,
  exampleVerdict,
} from './example-authority.fixture.ts';
import { issue } from './issue.ts';
import type { Issuer } from './issuer.ts';
import { lint, lintedContent, type LintedTbs } from './lint.ts';
import { Mandate, mintMandate, redeemMandate } from './mandate.ts';
import { buildTbs } from './tbs.ts';

const { issuer } = await exampleAuthority();
const { spki } = await generateSoftwareKey('ec-p256');

function linted(by: Issuer = issuer): LintedTbs {
  const plan = examplePlan(spki);
  return lint(buildTbs(plan, by), plan, by);
}

const refused = { code: 'mandate' };

test('an allow verdict of the judge mints a mandate for the linted bytes', async () => {
  const bytes = linted();
  const mandate = mintMandate(exampleVerdict(), bytes);
  assert.equal(mandate.tbsHash, bytes.tbsHash);
  await issue(issuer, mandate);
});

test('deny and hold mint none', () => {
  const deny = exampleVerdict({
    key: { algorithmAllowed: true, originAllowed: true, strong: false, unshared: true },
  });
  const hold = exampleVerdict({ approval: { required: true, granted: false, lifts: [], denied: false } });
  assert.deepEqual([deny.decision, hold.decision], ['deny', 'hold']);
  for (const verdict of [deny, hold]) assert.throws(() => mintMandate(verdict, linted()), refused);
});

test('a verdict that the judge did not make mints none, whatever it says', () => {
  const allow = exampleVerdict();
  const deny = exampleVerdict({ device: { known: false, state: 'unknown', fresh: false } });
  const forgeries: unknown[] = [
    { decision: 'allow', objections: [] },
    { ...allow },
    structuredClone(allow),
    JSON.parse(JSON.stringify(allow)),
    Object.create(allow),
    Object.create(deny, { decision: { value: 'allow' }, objections: { value: [] } }),
    new Proxy(deny, { get: (_, name) => (name === 'decision' ? 'allow' : []) }),
    null,
  ];
  for (const forgery of forgeries) assert.throws(() => mintMandate(forgery as Verdict, linted()), refused);
});

test('the verdict that admits a request mints none', () => {
  const admission = exampleAdmission();
  assert.equal(admission.decision, 'allow');
  assert.throws(() => mintMandate(admission, linted()), refused);
});

test('a verdict on another template mints none', () => {
  const other = exampleVerdict({}, 'vpn');
  assert.equal(other.decision, 'allow');
  assert.throws(() => mintMandate(other, linted()), refused);
});

test('a deny verdict cannot be turned into an allow', () => {
  const deny = exampleVerdict({ device: { known: false, state: 'unknown', fresh: false } });
  assert.throws(() => Object.assign(deny, { decision: 'allow', objections: [] }), TypeError);
  assert.throws(() => mintMandate(deny, linted()), refused);
});

test('one verdict is one mandate, and so are the same linted bytes', () => {
  const verdict = exampleVerdict();
  const bytes = linted();
  mintMandate(verdict, bytes);
  assert.throws(() => mintMandate(verdict, linted()), refused);
  assert.throws(() => mintMandate(exampleVerdict(), bytes), refused);
});

test('bytes that were not linted get no mandate', () => {
  const forgeries: unknown[] = [
    buildTbs(examplePlan(spki), issuer),
    {},
    Object.create(Object.getPrototypeOf(linted()) as object),
  ];
  for (const forgery of forgeries) {
    assert.throws(() => mintMandate(exampleVerdict(), forgery as LintedTbs), refused);
  }
});

test('a mandate is redeemed once, also by many at the same time', async () => {
  const mandate = mintMandate(exampleVerdict(), linted());
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => issue(issuer, mandate)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  await assert.rejects(issue(issuer, mandate), { code: 'mandate', message: /redeemed before/u });
});

test('what looks like a mandate is none', async () => {
  const mandate = mintMandate(exampleVerdict(), linted());
  class Heir extends Mandate {}
  assert.throws(() => new Heir(Symbol('minting'), { tbs: spki, tbsHash: '', issuer: spki }), refused);
  const forgeries: unknown[] = [
    { tbsHash: mandate.tbsHash },
    { ...mandate },
    Object.create(Mandate.prototype),
    Object.create(mandate),
    Object.setPrototypeOf({ tbs: spki }, Mandate.prototype),
    structuredClone(mandate),
    new Proxy(mandate, {}),
    null,
    undefined,
    'mandate',
  ];
  for (const forgery of forgeries) await assert.rejects(issue(issuer, forgery as Mandate), refused);
  await issue(issuer, mandate);
});

test('a mandate cannot be written down: nothing of it can be printed, serialised or changed', () => {
  const mandate = mintMandate(exampleVerdict(), linted());
  assert.equal(JSON.stringify(mandate), '{}');
  assert.deepEqual(structuredClone(mandate) as unknown, {});
  assert.equal(inspect(mandate, { showHidden: true, getters: false }), 'Mandate { [tbsHash]: [Getter] }');
  assert.throws(() => Object.assign(mandate, { tbsHash: '' }), TypeError);
});

test('another issuer than the planned one cannot redeem, and the mandate is spent', async () => {
  const { issuer: other } = await exampleAuthority();
  const mandate = mintMandate(exampleVerdict(), linted());
  await assert.rejects(issue(other, mandate), { code: 'mandate', message: /another issuer/u });
  await assert.rejects(issue(issuer, mandate), { code: 'mandate', message: /redeemed before/u });
});

test('an issuer that was not loaded with its checks cannot redeem', async () => {
  const { issuer: other } = await exampleAuthority();
  const strangers: Issuer[] = [
    { ...issuer },
    { ...issuer, key: other.key },
    { ...other, certificate: issuer.certificate },
  ];
  for (const stranger of strangers) {
    await assert.rejects(issue(stranger, mintMandate(exampleVerdict(), linted())), {
      code: 'mandate',
      message: /not loaded/u,
    });
  }
});

test('bytes that change inside after lint are not signed', async () => {
  const bytes = linted();
  const mandate = mintMandate(exampleVerdict(), bytes);
  lintedContent(bytes).tbs[20] = 0;
  await assert.rejects(issue(issuer, mandate), { code: 'mandate', message: /not the linted ones/u });
});

test('bytes that the caller changes after lint are signed as they were', () => {
  const plan = examplePlan(spki);
  const tbs = buildTbs(plan, issuer);
  const bytes = lint(tbs, plan, issuer);
  const expected = new Uint8Array(tbs);
  tbs.fill(0);
  assert.deepEqual(redeemMandate(mintMandate(exampleVerdict(), bytes), issuer), expected);
});
