import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { IdentityFolder, type KeptAttestation } from './identity-folder.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function attestation(certificates: readonly string[]): KeptAttestation {
  return {
    blobs: { publicArea: bytes('public'), privateArea: bytes('private') },
    creation: { data: bytes('data'), attest: bytes('attest'), signature: bytes('signature') },
    certificates: certificates.map(bytes),
  };
}

suite('the folder of an identity', () => {
  async function folder(t: TestContext): Promise<IdentityFolder> {
    const above = await mkdtemp(join(tmpdir(), 'sallyport-identity-'));
    t.after(() => rm(above, { recursive: true, force: true }));
    return new IdentityFolder(join(above, 'identity'), (n) => randomBytes(n));
  }

  test('is its owner’s alone, with all that is in it, and nothing is left beside', async (t) => {
    const identity = await folder(t);
    await identity.keepAttestation(attestation([]));
    await identity.begin(bytes('request'), 'key');
    const names = ['attestation.json', 'key.pem', 'request.der'];
    assert.deepEqual((await readdir(identity.folder)).toSorted(), names);
    assert.equal((await stat(identity.folder)).mode & 0o777, 0o700);
    for (const name of names) {
      assert.equal((await stat(join(identity.folder, name))).mode & 0o777, 0o600, name);
    }
    await identity.finish([bytes('certificate')]);
    assert.deepEqual((await readdir(identity.folder)).toSorted(), [
      'attestation.json',
      'certificate.pem',
      'key.pem',
    ]);
  });

  test('keeps the attestation key that it has, until the next one is there whole', async (t) => {
    const identity = await folder(t);
    await identity.keepAttestation(attestation([]));
    const file = join(identity.folder, 'attestation.json');
    const before = await readFile(file);
    const reader = await open(file);
    t.after(() => reader.close());
    await identity.keepAttestation(attestation(['one', 'two']));
    assert.deepEqual(await reader.readFile(), before, 'who reads meanwhile has the old one');
    assert.deepEqual(await identity.attestation(), attestation(['one', 'two']));
  });

  test('has a request that waits until it was answered or refused', async (t) => {
    const identity = await folder(t);
    assert.equal(await identity.pending(), null);
    await identity.begin(bytes('request'), 'key');
    assert.deepEqual(await identity.pending(), { request: bytes('request'), key: 'key' });
    await identity.requireFree();
    await identity.discard(true);
    assert.equal(await identity.pending(), null);
    await identity.requireFree();
    assert.equal(await identity.refusedKey(), 'key', 'for the next request');
    await identity.begin(bytes('another'), 'key');
    await identity.finish([bytes('certificate')]);
    assert.deepEqual([await identity.pending(), await identity.refusedKey()], [null, null]);
    await assert.rejects(identity.requireFree(), { code: 'conflict' });
  });

  test('has nothing of a key that is of no use, and the attestation key without its certificates', async (t) => {
    const identity = await folder(t);
    await identity.begin(bytes('request'), 'key');
    await identity.discard(true);
    await identity.begin(bytes('request'), 'key');
    await identity.discard(false);
    assert.deepEqual(await readdir(identity.folder), []);
    await identity.forgetCertificates();
    await identity.keepAttestation(attestation(['one']));
    await identity.forgetCertificates();
    assert.deepEqual(await identity.attestation(), attestation([]));
  });
});
