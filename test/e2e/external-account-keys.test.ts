import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { encodeEntry } from '#audit';
import { loadConfiguration } from '#config';
import { openSqlite } from '#storage';
import { withAccountTemplate } from '../harness/account-template.ts';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyportHere,
  serveAuthority,
  type ServedAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

const cleanup = suiteCleanup();

describe('external account keys, from the command line', () => {
  let files: AuthorityFiles;
  let authority: ServedAuthority;
  let kept: Record<string, unknown>;
  const serve = async () => {
    authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
  };
  const command = async (...words: string[]) => {
    const { code, stdout, stderr } = await sallyportHere(...words, '--config', files.configuration);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const json = async (...words: string[]) =>
    JSON.parse(await command(...words, '--json')) as Record<string, unknown>;
  const list = async (...words: string[]) =>
    (await json(...words)) as unknown as readonly Record<string, unknown>[];
  const create = ['eab', 'create', '--device', 'web-1', '--template', 'web'];

  before(async () => {
    files = await initAuthority(cleanup, (yaml) => withAccountTemplate(anyPorts(yaml)));
    await serve();
    await authority.admin.device('web-1', { deviceClass: 'server' });
  });

  test('eab create prints key id and MAC key, this once', async () => {
    const bounds = ['--name', 'www.example.org', '--name', '.web.example.org', '--certificates', '2'];
    kept = await json(...create, ...bounds, '--approve', '--lifetime', '2h');
    const { keyId, hmacKey, names, maximumCertificates, approved } = kept;
    assert.match(String(keyId), /^K-/);
    assert.equal(Buffer.from(String(hmacKey), 'base64url').length, 32);
    assert.deepEqual(names, ['www.example.org', '.web.example.org']);
    assert.deepEqual([maximumCertificates, approved], [2, true]);
    const words = await command(...create);
    assert.match(words, /^External account key for device web-1, templates web: whatever they admit\.$/m);
    assert.match(words, /waits for an operator/);
    assert.match(words, /^ {2}key id {4}K-\S+\n {2}HMAC key {2}[\w-]{43}$/m);
    const [, second] = /HMAC key {2}(\S+)/.exec(words)!;
    for (const secret of [String(hmacKey), second!]) {
      assert.ok(!JSON.stringify(await entriesOf(authority)).includes(secret));
      assert.ok(!(await command('eab', 'list', '--json')).includes(secret));
    }
  });

  test('refusals say what to do', async () => {
    for (const [words, expected] of [
      [['--approve'], /an approval is for names/],
      [['--name', 'www.example.net'], /would never admit www\.example\.net/],
      [['--name', 'https://www.example.org'], /is no name to give/],
      [['--lifetime', '30d'], /waits 60 to 604800 seconds/],
    ] as const) {
      const { code, stderr } = await sallyportHere(...create, ...words, '--config', files.configuration);
      assert.notEqual(code, 0);
      assert.match(stderr, expected);
    }
  });

  test('eab list, account list and device show tell what became of it', async () => {
    assert.equal(await command('account', 'list'), 'No accounts.\n');
    const [first, second] = await list('eab', 'list', '--device', 'web-1');
    assert.deepEqual([first!['id'], first!['state'], first!['account']], [kept['keyId'], 'live', null]);
    assert.deepEqual([second!['names'], second!['approvedBy']], [null, null]);
    await authority.stop();
    await makeAccount(files, String(kept['keyId']));
    await serve();
    assert.match(await command('eab', 'list', '--state', 'spent'), /^K-\S+ +web-1 +web +.*spent/m);
    const [account] = await list('account', 'list', '--device', 'web-1');
    assert.deepEqual([account!['id'], account!['status']], ['the-account', 'valid']);
    assert.deepEqual(account!['contact'], ['mailto:ida@example.org']);
    assert.match(await command('account', 'list'), /^the-account +web-1 +web +.*valid +K-/m);
    assert.match(await command('device', 'show', 'web-1'), /^K-\S+ +web-1 +web/m);
  });

  test('account revoke and eab void end what was given, once', async () => {
    const revoked = await json('account', 'revoke', 'the-account', '--remark', 'broken into');
    assert.equal(revoked['status'], 'revoked');
    assert.match(await command('account', 'list'), /^the-account .* revoked/m);
    const again = await sallyportHere('account', 'revoke', 'the-account', '--config', files.configuration);
    assert.match(again.stderr, /revoked already/);
    const [, live] = await list('eab', 'list');
    assert.match(await command('eab', 'void', String(live!['id'])), /is void/);
    const acts = (await entriesOf(authority)).flatMap(({ act }) => (act === undefined ? [] : [act]));
    assert.deepEqual(acts.slice(-4), ['eab.create', 'eab.create', 'account.revoke', 'eab.void']);
  });

  test('retiring the device ends the rest; erasing it leaves nothing of it, and the log verifies', async () => {
    await command('device', 'retire', 'web-1');
    const states = (await list('eab', 'list')).map(({ state }) => state);
    assert.deepEqual(states, ['void', 'void']);
    await authority.admin.client.perform('eraseDevice', { id: 'web-1' });
    assert.equal(await command('eab', 'list'), 'No external account keys.\n');
    assert.equal(await command('account', 'list'), 'No accounts.\n');
    const entries = JSON.stringify(await entriesOf(authority));
    assert.doesNotMatch(entries, /web-1|web\.example\.org/);
    await authority.stop();
    assert.deepEqual((await verifyLog(authority)).findings, []);
  });
});

/** As newAccount makes it. */
async function makeAccount(files: AuthorityFiles, externalAccountKey: string): Promise<void> {
  const { log } = loadConfiguration(files.configuration, process.env);
  const storage = await openSqlite({
    file: path.join(files.directory, 'data/sallyport.db'),
    origin: log.origin,
  });
  const account = {
    id: 'the-account',
    externalAccountKey,
    thumbprint: 'its thumbprint',
    jwk: '{}',
    spki: '00',
    contact: ['mailto:ida@example.org'],
  };
  const now = Date.now();
  const opened = { type: 'authority', version: 1, id: 'A-test', time: now, event: 'test', detail: {} };
  await storage.acme.createAccount({ account, now, entry: { bytes: encodeEntry(opened), blobs: [] } });
  await storage.close();
}
