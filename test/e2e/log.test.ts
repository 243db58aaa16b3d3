import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import {
  CompactRange,
  leafHash,
  openCheckpoint,
  parseVerifierKey,
  verifierKey,
  verifyTlogProof,
} from '#audit';
import {
  anyPorts,
  authorityInProcess,
  initAuthority,
  sallyport,
  sallyportHere,
  serveAuthority,
  type TestAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf, leafHashOf, logSize } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { supportCodeOf } from '../harness/expect.ts';
import { publicDocument } from '../harness/public-document.ts';
import { TestDevice } from '../harness/test-device.ts';

interface Verified {
  readonly ok: boolean;
  readonly size: number;
  readonly root: string;
}

async function verifiedLog({ configuration }: { configuration: string }): Promise<Verified> {
  const { code, stdout, stderr } = await sallyportHere('log', 'verify', '--json', '--config', configuration);
  assert.equal(code, 0, stderr + stdout);
  return JSON.parse(stdout) as Verified;
}

/** Waits for a checkpoint over all that is in the log now. */
async function publishedNote(authority: TestAuthority): Promise<string> {
  const size = await logSize(authority);
  for (let tries = 0; tries < 100; tries += 1) {
    const note = (await publicDocument(authority, '/log/checkpoint')).body.toString();
    if (Number(note.split('\n')[1]) >= size) return note;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no checkpoint over ${size} entries came`);
}

describe('the log', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });
  const perform: typeof authority.admin.client.perform = (name, input) =>
    authority.admin.client.perform(name, input);
  const post = (body: string, headers = {}) =>
    est({ url: `${authority.est}/simpleenroll`, body, headers, trust: authority.trustPem });

  /** What was done, as the log tells it. */
  async function since(from: number): Promise<string[]> {
    const entries = await entriesOf(authority, from);
    return entries.map(({ outcome, act, event }) => String(outcome ?? act ?? event));
  }

  test('has exactly one entry for every request and every act', async () => {
    const from = await logSize(authority);
    const device = await TestDevice.unapproved(authority, 'laptop-1');
    const url = `${authority.est}/cacerts`;
    await est({ url, trust: authority.trustPem });
    await device.enroll();
    const [request] = (await perform('listRequests', { state: 'pending' })).items;
    await perform('showRequest', { id: request!.id });
    await perform('approveRequest', { id: request!.id });
    await device.enroll();
    await device.enroll();
    await device.renew();
    await device.enroll({ key: makeKey() });
    await post('garbage');
    await post(base64(csrFor('nobody', makeKey())));
    await est({ url, method: 'DELETE', trust: authority.trustPem });
    await perform('approveDevice', { id: device.id, template: 'device' });
    await device.newSecret();
    const [secret] = (await perform('listSecrets', { device: device.id, state: 'live' })).items;
    await perform('revokeSecret', { id: secret!.id });
    await assert.rejects(perform('revokeSecret', { id: secret!.id }), { code: 'conflict' });
    await perform('suspendDevice', { id: device.id });
    await perform('resumeDevice', { id: device.id });
    const [certificate] = (await perform('listCertificates', { device: device.id })).items;
    await perform('revokeCertificate', { id: certificate!.sha256 });
    await perform('retireDevice', { id: device.id });
    assert.deepEqual(await since(from), [
      'device.import',
      'secret.create',
      'answered',
      'held',
      'request.approve',
      'issued',
      'redelivered',
      'issued',
      'refused',
      'malformed',
      'refused',
      'malformed',
      'device.approve',
      'secret.create',
      'secret.revoke',
      'device.suspend',
      'device.resume',
      'certificate.revoke',
      'crl.issued',
      'device.retire',
    ]);
    assert.equal((await verifiedLog(authority)).size, await logSize(authority));
  });

  test('has exactly one entry for each of many requests at once', async () => {
    const from = await logSize(authority);
    await Promise.all(Array.from({ length: 40 }, (_, number) => post(`garbage ${number}`)));
    const outcomes = await since(from);
    assert.deepEqual([outcomes.length, new Set(outcomes)], [40, new Set(['malformed'])]);
  });

  test('never holds a secret', async () => {
    const device = await TestDevice.enrolled(authority, 'laptop-2');
    await device.enroll({ key: makeKey() });
    const everything = JSON.stringify(await entriesOf(authority));
    assert.ok(everything.includes(device.id));
    assert.ok(!everything.includes(device.secret));
  });

  test('proves an entry with a receipt that anybody can check, and that fits no other entry, log or tree', async () => {
    const refused = supportCodeOf(await post(base64(csrFor('nobody', makeKey()))));
    await publishedNote(authority);
    const { code, stdout, stderr } = await sallyport(
      'log',
      'prove',
      refused,
      '--json',
      '--config',
      authority.configuration,
    );
    assert.equal(code, 0, stderr);
    const proof = JSON.parse(stdout) as Record<'receipt' | 'entry' | 'verifierKey', string>;
    const { receipt, entry } = proof;
    const log = parseVerifierKey(proof.verifierKey);
    const leaf = leafHash(Buffer.from(entry));
    assert.equal((JSON.parse(entry) as { id: string }).id, refused);
    verifyTlogProof(receipt, { leafHash: leaf, log });

    const other = leafHash(Buffer.from(entry.replace('"refused"', '"issued"')));
    assert.throws(() => verifyTlogProof(receipt, { leafHash: other, log }));
    const lines = receipt.split('\n');
    for (const [at, line] of lines.entries()) {
      if (line === '') continue;
      const middle = Math.floor(line.length / 2);
      const other = line[middle] === 'A' ? 'B' : 'A';
      const altered = lines.with(at, line.slice(0, middle) + other + line.slice(middle + 1)).join('\n');
      assert.throws(() => verifyTlogProof(altered, { leafHash: leaf, log }), `line ${at} may be altered`);
    }
    const { publicKey } = generateKeyPairSync('ed25519');
    const impostor = verifierKey(log.name, publicKey.export({ type: 'spki', format: 'der' }));
    assert.throws(() => verifyTlogProof(receipt, { leafHash: leaf, log: parseVerifierKey(impostor) }));
  });

  test('shows a checkpoint on the public listener, signed by its key and over its entries', async () => {
    const [created] = await entriesOf(authority);
    const { log } = created!['detail'] as { log: string };
    const note = await publishedNote(authority);
    const { size, root } = openCheckpoint(note, parseVerifierKey(log));
    const verified = await verifiedLog(authority);
    assert.deepEqual([size, Buffer.from(root).toString('base64')], [verified.size, verified.root]);
  });
});

test('the NDJSON sink has every entry once, in order, through stop, kill and start, and verifies by itself', async (t) => {
  const files = await initAuthority(t, anyPorts);
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
    const served = await serveAuthority(files);
    await Promise.all(
      Array.from({ length: 10 }, () => est({ url: `${served.est}/cacerts`, trust: served.trustPem })),
    );
    await served.stop(signal);
  }
  const lines = (await readFile(path.join(files.directory, 'log/events.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n');
  const range = CompactRange.empty();
  for (const [at, line] of lines.entries()) {
    const match = /^\{"log":(\{[^}]*\}),"entry":(.*)\}$/.exec(line)!;
    const log = JSON.parse(match[1]!) as { index: number; leafHash: string; salt?: string };
    assert.deepEqual(
      [log.index, log.leafHash],
      [at, leafHashOf({ log, entry: JSON.parse(match[2]!) as object })],
    );
    range.append(Buffer.from(log.leafHash, 'base64'));
  }
  const { size, root } = await verifiedLog(files);
  assert.deepEqual([lines.length, Buffer.from(range.root()).toString('base64')], [size, root]);
});

test('serve ends where a sink is given the file of another log, and leaves nothing running', async (t) => {
  const files = await initAuthority(t, anyPorts);
  const line = '{"log":{"origin":"other.example.com/log","index":0,"leafHash":""},"entry":{}}\n';
  await writeFile(path.join(files.directory, 'log/events.ndjson'), line);
  const { code, stderr } = await sallyport('serve', '--config', files.configuration);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /belongs to another log/);
});
