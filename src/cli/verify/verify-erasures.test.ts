import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { decodeEntry, encodeEntry, formatCheckpoint, signNote, verifierKey } from '#audit';
import { readDatabase } from '#authority';
import { loadConfiguration } from '#config';
import { readEntry } from '#enrollment';
import { loadSoftwareKey, type SoftwareKey } from '#keys';
import { authorityInProcess } from '../../../test/harness/authority.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { makeKey } from '../../../test/harness/csr.ts';
import { TestDevice } from '../../../test/harness/test-device.ts';
import {
  type Copy,
  copyOf,
  rangeOf,
  rehashed,
  storageOf,
  withAct,
  withEntry,
  withErased,
} from './altered-storage.fixture.ts';
import { verifyAuthorityLog } from './verify-authority-log.ts';

suite('log verify, of what was erased', () => {
  const cleanup = suiteCleanup();
  let copy: Copy;
  let key: SoftwareKey;
  let issued: number;
  let refused: number;

  before(async () => {
    const authority = await authorityInProcess(cleanup);
    const device = await TestDevice.enrolled(authority, 'ida-laptop');
    assert.equal((await device.enroll({ key: makeKey() })).status, 401);
    await authority.running.close();
    const configuration = loadConfiguration(authority.configuration, {});
    const storage = await readDatabase(configuration, {});
    copy = await copyOf(storage);
    await storage.close();
    const passphrase = (await readFile(join(authority.directory, 'secrets/passphrase'), 'utf8')).trim();
    key = await loadSoftwareKey(await readFile(configuration.log.key.file, 'utf8'), passphrase);
    const outcomes = copy.entries.map((bytes) => decodeEntry(bytes)['outcome']);
    issued = outcomes.indexOf('issued');
    refused = outcomes.indexOf('refused');
  });

  /** Whoever has the log's key signs whatever is there: what is found is found by what it says. */
  const verify = async (altered: Copy) => {
    const range = rangeOf(altered);
    const text = formatCheckpoint({ origin: altered.origin, size: range.size, root: range.root() });
    return verifyAuthorityLog({
      storage: storageOf(altered),
      checkpoint: await signNote(text, { name: altered.origin, key }),
      verifierKey: verifierKey(altered.origin, key.spki),
      progress: () => {},
    });
  };

  const assertFound = async (
    altered: Copy,
    ...expected: readonly (readonly [index: number, words: RegExp])[]
  ) => {
    const { ok, findings } = await verify(altered);
    const found = findings.map(({ index, message }) => `${index}: ${message}`).join('\n');
    assert.deepEqual([ok, findings.length], [false, expected.length], found);
    for (const [at, [index, words]] of expected.entries()) {
      assert.equal(findings[at]!.index, index, found);
      assert.match(findings[at]!.message, words);
    }
  };

  const erasing = (first: number, last: number, log = copy.origin) => ({
    as: 'E-1',
    erased: [{ log, indexes: [[first, last]] }],
  });
  const dispense = (altered: Copy, index: number, kind: 'document' | 'request'): Copy => ({
    ...altered,
    blobs: altered.blobs.filter(
      ({ index: of, bytes }) => of !== index || (bytes[0] === 0x7b) !== (kind === 'document'),
    ),
  });

  test('it verifies by its facts, and is counted', async () => {
    const { ok, erased, findings } = await verify(withErased(copy, [refused]));
    assert.deepEqual([ok, erased, findings], [true, 1, []]);
    const all = copy.entries.flatMap((bytes, index) =>
      decodeEntry(bytes)['sealed'] === undefined ? [] : [index],
    );
    assert.ok(all.length >= 4);
    const report = await verify(withErased(copy, all));
    assert.deepEqual([report.ok, report.erased, report.certificates], [true, all.length, 1]);
  });

  test('a certificate that was issued against the verdict is found by the facts, though its names are gone', async () => {
    const illegitimate = withEntry(copy, issued, (entry) => {
      const facts = structuredClone(entry['facts']) as { context: { secret: { known: boolean } } };
      facts.context.secret.known = false;
      return { ...entry, facts };
    });
    await assertFound(withErased(rehashed(illegitimate), [issued]), [
      issued,
      /comes out otherwise: allow was recorded, deny \(authentication, secret-known\) is right/,
    ]);
  });

  test('facts that are missing from the leaf are denied', async () => {
    const without = withEntry(copy, issued, (entry) => {
      const { context: _, ...facts } = entry['facts'] as { context: unknown; reasons: unknown };
      return { ...entry, facts: { ...facts, context: {} } };
    });
    await assertFound(withErased(rehashed(without), [issued]), [issued, /allow was recorded, deny \(/]);
  });

  test('a control left out of the verdict, or made liftable, is found', async () => {
    type Verdict = { decision: string; objections: { liftable: boolean }[] };
    for (const change of [
      (verdict: Verdict) => ({ ...verdict, objections: verdict.objections.slice(1) }),
      (verdict: Verdict) => ({
        ...verdict,
        objections: verdict.objections.map((each) => ({ ...each, liftable: !each.liftable })),
      }),
    ]) {
      const altered = withEntry(copy, refused, (entry) => ({
        ...entry,
        verdict: change(entry['verdict'] as Verdict),
      }));
      await assertFound(withErased(rehashed(altered), [refused]), [refused, /comes out otherwise/]);
    }
  });

  test('one that is not there, and no act erased it, is found, also where an act erased another', async () => {
    const missing = { ...copy, blobs: copy.blobs.filter(({ index }) => index !== refused) };
    await assertFound(missing, [refused, /not there, and no act erased them/]);
    await assertFound(withErased(missing, [issued]), [refused, /not there, and no act erased them/]);
  });

  test('one that an act erased and that is there is found', async () => {
    await assertFound(withAct(copy, erasing(refused, refused)), [
      refused,
      /entry \d+ erased its personal fields, and they are there/,
    ]);
  });

  test('one of which only the certification request went, or stayed, is found', async () => {
    await assertFound(dispense(copy, refused, 'request'), [
      refused,
      /the certification request that it names is not there/,
    ]);
    await assertFound(dispense(copy, refused, 'document'), [
      refused,
      /personal fields are not there, and its certification request is/,
    ]);
  });

  test('the bytes of a certificate that stayed, or went without an erasure, are found', async () => {
    const erased = withErased(copy, [issued]);
    await assertFound({ ...erased, certificates: copy.certificates }, [
      issued,
      /its bytes are there, and the personal fields of its entry are not/,
    ]);
    await assertFound({ ...copy, certificates: erased.certificates }, [
      issued,
      /its bytes in the store are not there/,
    ]);
  });

  test('an act that erased what came after it, in a log that is not there, or that does not say what, is found', async () => {
    const act = copy.entries.length;
    await assertFound(withAct(copy, erasing(act, act + 7)), [act, /entry \d+, which was not there yet/]);
    await assertFound(withAct(copy, erasing(0, 1, 'other/log')), [act, /a log that is not before it: other/]);
    await assertFound(withAct(copy, { erased: 'all' }), [act, /does not say in order/]);
  });

  test('entries of version 1, which have their names in the leaf, verify as before; one that seals something is none', async () => {
    const kept = (leaf: Uint8Array) => {
      const { certificationRequest } = decodeEntry(leaf) as {
        certificationRequest?: { blob: string } | null;
      };
      return certificationRequest?.blob;
    };
    const old = rehashed({
      ...copy,
      entries: copy.entries.map((leaf, index) => {
        const beside = copy.blobs.filter((blob) => blob.index === index);
        return encodeEntry({ ...readEntry(leaf, beside).entry, version: 1 });
      }),
      blobs: copy.blobs.filter(
        ({ index, address }) => Buffer.from(address).toString('hex') === kept(copy.entries[index]!),
      ),
    });
    assert.match(Buffer.from(old.entries[issued]!).toString(), /ida-laptop/);
    assert.deepEqual((await verify(old)).findings, []);
    const sealing = encodeEntry({ ...decodeEntry(copy.entries[refused]!), version: 1 });
    const mixed = rehashed({ ...copy, entries: copy.entries.toSpliced(refused, 1, sealing) });
    await assertFound(mixed, [refused, /kind or version/]);
  });

  test('an entry that two acts erased is erased', async () => {
    const { ok, erased } = await verify(withAct(withErased(copy, [refused]), erasing(refused, refused)));
    assert.deepEqual([ok, erased], [true, 1]);
  });
});
