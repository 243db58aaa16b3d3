import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { emptyRoot, formatCheckpoint, openCheckpoint, parseVerifierKey, signNote, verifierKey } from '#audit';
import { isSallyportError } from '#errors';
import { generateSoftwareKey, type SoftwareKey } from '#keys';
import { format, type Manifest, openManifest, type SealedManifest, sealManifest } from './manifest.ts';

suite('the manifest of a backup', () => {
  const origin = 'ca.example.com/log';
  const root = Buffer.from(emptyRoot()).toString('base64');
  let key: SoftwareKey;
  let manifest: Manifest;
  let sealed: SealedManifest;
  before(async () => {
    key = await generateSoftwareKey('ed25519');
    manifest = {
      format,
      origin,
      size: 0,
      root,
      checkpoint: await signNote(formatCheckpoint({ origin, size: 0, root: emptyRoot() }), signer()),
      schemaVersion: 1,
      file: { bytes: 4096, sha256: 'ab'.repeat(32) },
      time: '2026-11-22T12:00:00.000Z',
      program: '1.2.3',
    };
    sealed = await sealManifest(manifest, signer());
  });

  const signer = () => ({ name: origin, key });
  const keyOf = (name: string) => verifierKey(name, key.spki);
  const open = (value: object) => openManifest(JSON.stringify(value), keyOf);
  const assertRefused = (value: object, words: RegExp) =>
    assert.throws(
      () => open(value),
      (error) => isSallyportError(error, 'log') && words.test(error.message),
    );

  test('opens as it was sealed, whatever the order of its members', () => {
    assert.deepEqual(open(sealed).manifest, sealed);
    assert.deepEqual(open(Object.fromEntries(Object.entries(sealed).toReversed())).manifest, sealed);
  });

  test('is refused with any member changed', () => {
    const changes: Partial<SealedManifest>[] = [
      { time: '2026-11-23T12:00:00.000Z' },
      { program: '1.2.4' },
      { schemaVersion: 2 },
      { file: { bytes: 4097, sha256: manifest.file.sha256 } },
      { file: { bytes: 4096, sha256: 'cd'.repeat(32) } },
      { size: 1 },
      { origin: 'other.example.com/log' },
    ];
    for (const change of changes) {
      assertRefused({ ...sealed, ...change }, /the seal of the manifest is refused/);
    }
  });

  test('is refused with a member that nothing seals, without one, and where it is none', () => {
    assertRefused({ ...sealed, note: 'restore me' }, /none of a backup/);
    const { file: _, ...withoutFile } = sealed;
    assertRefused(withoutFile, /none of a backup/);
    assertRefused({ ...sealed, format: 'sallyport-backup/2' }, /none of a backup/);
    assertRefused([], /none of a backup/);
    assert.throws(() => openManifest('{', keyOf), { code: 'log' });
  });

  test('is refused under another key', async () => {
    const other = await generateSoftwareKey('ed25519');
    assert.throws(() => openManifest(JSON.stringify(sealed), (name) => verifierKey(name, other.spki)), {
      code: 'log',
    });
  });

  test('is refused with a checkpoint of another size, though the key signed both', async () => {
    const { seal: _, ...rest } = await sealManifest({ ...manifest, size: 7 }, signer());
    assertRefused(await sealManifest(rest, signer()), /the checkpoint of the manifest is refused/);
  });

  test('is sealed by a note that nobody can take for a checkpoint', () => {
    assert.throws(() => openCheckpoint(sealed.seal, parseVerifierKey(keyOf(origin))), { code: 'malformed' });
  });
});
