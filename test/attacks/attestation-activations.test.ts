import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { readDatabase } from '#authority';
import { loadConfiguration } from '#config';
import { parseBase64Certificate } from '#x509';
import { ActivationClient, activatingAuthority } from '../harness/activating-authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { EndorsedTpm, type PlayedKey } from '../harness/endorsed-tpm.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { entryOf } from '../harness/expect.ts';
import type { HttpAnswer } from '../harness/http.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestCa } from '../harness/pki.ts';

/** The certificate of an endorsement key is public: whoever has it can send the first message in the device's place, and that is all. */
describe('first messages of somebody who is not the TPM', () => {
  const cleanup = suiteCleanup();
  const maker = TestCa.root('Maker of TPMs');
  let authority: Awaited<ReturnType<typeof activatingAuthority>>;
  let client: ActivationClient;
  let stranger: ActivationClient;
  before(async () => {
    authority = await activatingAuthority(cleanup, maker.pem);
    client = new ActivationClient(authority);
    stranger = new ActivationClient(authority, 'attestation-key', '127.0.0.66');
  });

  const known = async (id: string) => {
    const tpm = new EndorsedTpm(maker);
    const identifiers = { ekSha256: tpm.ekSha256 };
    await authority.admin.device(id, { deviceClass: 'attested-laptop', identifiers });
    return tpm;
  };
  const challenged = async (tpm: EndorsedTpm, key: PlayedKey, from = client) => {
    const answer = await from.attest(tpm, key);
    assert.equal(answer.status, 200, answer.text);
    return tpm.activate(key, JSON.parse(answer.text) as { credential: string; secret: string });
  };
  const rejected = async (answer: HttpAnswer, words: RegExp) => {
    assert.equal(answer.status, 403);
    assert.match(answer.text, /^This TPM is not accepted here\. Support code R[-0-9A-Z]+\.\n$/);
    assert.match(String((await entryOf(authority, answer)).detail?.['problem']), words);
  };
  /** What is kept beside the entries from there on, but for their documents of personal fields. */
  const keptSince = async (from: number) => {
    const storage = await readDatabase(loadConfiguration(authority.configuration, process.env), process.env);
    try {
      const blobs = await storage.log.blobs(from, await logSize(authority));
      const entries = await requestEntriesOf(authority, from);
      const named = entries.flatMap(({ evidence }) => evidence?.blob ?? []);
      const kept = blobs.filter(({ address }) => named.includes(Buffer.from(address).toString('hex')));
      return { kept: kept.map(({ bytes }) => Buffer.from(bytes).toString()), entries, beside: blobs.length };
    } finally {
      await storage.close();
    }
  };

  test('leave nothing beside the log, and do not take from the device what it waits for, or may have', async () => {
    const tpm = await known('flooded');
    const key = tpm.createKey();
    const secret = await challenged(tpm, key);
    const from = await logSize(authority);
    for (let times = 0; times < 30; times += 1) {
      assert.equal((await stranger.attest(tpm, tpm.createKey())).status, 200);
    }
    const { kept, entries, beside } = await keptSince(from);
    assert.deepEqual([kept, entries.length, beside], [[], 30, 30]);
    for (const { outcome, detail } of entries) {
      assert.equal(outcome, 'answered');
      assert.match(digestOf(detail), /^[0-9a-f]{64}$/);
    }
    assert.equal((await client.secret(secret)).status, 200);
    // As many as the device may have in an hour.
    for (let more = 0; more < 4; more += 1) {
      assert.equal((await client.secret(await challenged(tpm, key))).status, 200);
    }
  });

  test('what the TPM has proven is kept with what came of it, once', async () => {
    const tpm = await known('proven');
    const key = tpm.createKey();
    const message = tpm.attest(key);
    const from = await logSize(authority);
    const { text } = await client.post('attest', message);
    const secret = tpm.activate(key, JSON.parse(text) as { credential: string; secret: string });
    assert.deepEqual((await keptSince(from)).kept, []);
    assert.equal((await client.secret(secret)).status, 200);
    const { kept, entries } = await keptSince(from);
    assert.deepEqual(kept, [JSON.stringify(message)]);
    const [asked, issued] = entries;
    assert.deepEqual([asked?.evidence, issued?.outcome], [undefined, 'issued']);
    assert.equal(issued?.observations.evidence?.examination?.sha256, digestOf(asked?.detail));
    await rejected(await client.secret(secret), /or it came before$/);
  });

  test('the same octets twice are two challenges, each of which is good for a certificate', async () => {
    const tpm = await known('twice');
    const key = tpm.createKey();
    const message = JSON.stringify(tpm.attest(key));
    const answers = [await client.post('attest', message), await stranger.post('attest', message)];
    const serialNumbers = new Set<string>();
    for (const { text } of answers) {
      const secret = tpm.activate(key, JSON.parse(text) as { credential: string; secret: string });
      const issued = await client.secret(secret);
      assert.equal(issued.status, 200, issued.text);
      const [certificate] = (JSON.parse(issued.text) as { chain: string[] }).chain;
      serialNumbers.add(parseBase64Certificate(certificate!).serialNumber);
    }
    assert.equal(serialNumbers.size, 2);
  });

  test('what comes late was proven too, and is kept with its refusal', async () => {
    const tpm = await known('late');
    const key = tpm.createKey();
    const secret = await challenged(tpm, key);
    authority.advance(60_000);
    const from = await logSize(authority);
    assert.equal((await client.secret(secret)).status, 403);
    const { kept, entries } = await keptSince(from);
    assert.deepEqual([kept.length, entries[0]?.outcome], [1, 'refused']);
  });

  test('under a MAC key that was taken out meanwhile: the entry says so', async () => {
    const tpm = await known('rotated');
    const key = tpm.createKey();
    const secret = await challenged(tpm, key);
    const before = parse(await readFile(authority.configuration, 'utf8')) as Settings;
    const [old] = before.secrets.macKeys;
    const put = async (macKeys: Settings['secrets']['macKeys']) => {
      const settings = { ...before, secrets: { ...before.secrets, macKeys } };
      await writeFile(authority.configuration, stringify(settings));
      await authority.running.reload();
    };
    const file = `${authority.directory}/mac-next.key`;
    await writeFile(file, Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
    const next = { id: 'next', key: { file } };
    await put([next]);
    await rejected(
      await client.secret(secret),
      new RegExp(`under ${old!.id} is not known any more, which is no key of secrets.macKeys now$`),
    );
    // Beside a newer one it counts on.
    await put([next, old!]);
    assert.equal((await client.secret(secret)).status, 200);
    assert.equal((await client.secret(await challenged(tpm, key))).status, 200);
    await put([old!]);
    await rejected(await client.secret(Buffer.alloc(32)), /or it came before$/);
  });

  test('an endorsement key that an earlier version let several devices have is of none of them', async () => {
    const tpm = await known('disputed');
    const database = new DatabaseSync(`${authority.directory}/data/sallyport.db`, { timeout: 5000 });
    database.exec(`update device set ek_disputed = ek_sha256, ek_sha256 = null where id = 'disputed'`);
    database.close();
    await rejected(
      await client.attest(tpm, tpm.createKey()),
      new RegExp(`^1 devices were imported with the ekSha256 ${tpm.ekSha256} before`),
    );
    const identifiers = { ekSha256: tpm.ekSha256 };
    await authority.admin.device('disputed', { deviceClass: 'attested-laptop', identifiers });
    assert.equal((await client.attest(tpm, tpm.createKey())).status, 200);
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});

function digestOf(detail: Readonly<Record<string, unknown>> | undefined): string {
  const evidence = detail?.['evidence'] as { readonly sha256: string } | undefined;
  return evidence?.sha256 ?? '';
}

interface Settings {
  readonly secrets: { readonly macKeys: readonly { readonly id: string; readonly key: unknown }[] };
}
