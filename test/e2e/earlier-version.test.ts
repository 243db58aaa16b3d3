import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { replayLog } from '#cli';
import { type RequestEntry, RequestReplay, sha256Hex } from '#enrollment';
import { defaultPolicies } from '#policy';
import { sallyportHere, startInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { afterwards, earlierAuthority } from '../harness/earlier-authority.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { ScepDevice } from '../harness/scep-device.ts';
import { TamperedAuthority } from '../harness/tampering.ts';

/** An operator upgrades, and what was recorded before is to be proven as it was. */
describe('an authority that an earlier version left', () => {
  const cleanup = suiteCleanup();
  const signal = new AbortController().signal;

  test('is upgraded, and its log verifies: alone, with what comes after it, and when a device of it is erased', async (t) => {
    const files = await earlierAuthority(cleanup);
    const before = await sallyportHere('log', 'verify', '--config', files.configuration);
    assert.notEqual(before.code, 0);
    assert.match(before.stderr, /version 14 of the schema/);
    const authority = await startInProcess(cleanup, files, afterwards - Date.now());

    const upgraded = await replayLog(files.configuration, process.env, signal);
    assert.deepEqual(upgraded.findings, []);
    assert.deepEqual([upgraded.requests, upgraded.certificates, upgraded.erased], [18, 9, 5]);
    const earlier = await requestEntriesOf(authority);
    const groups = new Set(earlier.flatMap(({ facts }) => Object.keys(facts.context)));
    for (const group of ['versions', 'attestingKey', 'lineage']) assert.ok(!groups.has(group), group);

    const device = await ScepDevice.enrolled(authority, 'newcomer');
    assert.equal((await device.renew()).pkiStatus, 'success');
    const { facts, verdict } = (await requestEntriesOf(authority)).findLast(
      ({ outcome }) => outcome === 'issued',
    )!;
    assert.deepEqual(facts.context.lineage, { uncontested: true });
    assert.equal(verdict.decision, 'allow');

    for (const [id, entries] of [
      ['tess', 3],
      ['ada', 6],
    ] as const) {
      await authority.admin.client.perform('retireDevice', { id, remark: 'sold' });
      const erased = await authority.admin.client.perform('eraseDevice', { id });
      assert.ok(erased.entries >= entries, `${id}: ${erased.entries}`);
    }
    const report = await replayLog(files.configuration, process.env, signal);
    assert.deepEqual(report.findings, []);
    assert.ok(report.erased > upgraded.erased);
    await authority.running.close();

    // Its policies are asked for as they were, and by their digest.
    const tampered = await TamperedAuthority.copyOf(files, t);
    tampered.write((database) => database.exec("update policies_text set text = text || ' '"));
    const { findings } = await replayLog(tampered.configuration, process.env, signal);
    assert.ok(findings.some(({ message }) => /the policies [0-9a-f]{64} were changed/.test(message)));
  });

  test('has its requests judged by the policies that each names, with the facts of then and no others', async (t) => {
    const files = await earlierAuthority(cleanup);
    const copy = await TamperedAuthority.copyOf(files, t);
    const database = copy.write((connection) => ({
      policies: connection.prepare('select text from policies_text').all(),
      references: connection.prepare('select digest, body from references_body').all(),
    }));
    const authority = await startInProcess(cleanup, files, afterwards - Date.now());
    const entries = await requestEntriesOf(authority);
    await authority.running.close();
    const current = defaultPolicies();
    const earlier = database.policies[0]!['text'] as string;
    const start = earlier.indexOf('@id("key-strength")');
    const open = earlier.slice(0, start) + earlier.slice(earlier.indexOf(';', start) + 1);
    const texts = new Map([current, earlier, open].map((text) => [sha256Hex(Buffer.from(text)), text]));
    const replay = new RequestReplay({
      policies: async (digest) => texts.get(digest) ?? null,
      references: async (wanted) =>
        (database.references.find(({ digest }) => digest === wanted)?.['body'] as Uint8Array) ?? null,
    });
    const renewal = entries.find(({ action, outcome, observations }) => {
      return action === 'renew' && outcome === 'issued' && observations.evidence?.examination !== undefined;
    })!;
    const judged = async (entry: RequestEntry, words: RegExp | null) => {
      for (const form of ['whole', 'leaf'] as const) {
        const objection = await replay.objectionTo(entry, form);
        if (words === null) assert.equal(objection, null, form);
        else assert.match(objection ?? 'nothing', words, form);
      }
    };
    await judged(renewal, null);
    for (const later of [
      { versions: { kept: true } },
      { attestingKey: { withinLimit: true } },
      { lineage: { uncontested: true } },
    ]) {
      const facts = { ...renewal.facts, context: { ...renewal.facts.context, ...later } };
      await judged({ ...renewal, facts }, /comes out otherwise/);
    }
    await judged({ ...renewal, policies: sha256Hex(Buffer.from(current)) }, /comes out otherwise/);
    await judged({ ...renewal, policies: sha256Hex(Buffer.from(open)) }, /key-strength is missing/);
  });
});
