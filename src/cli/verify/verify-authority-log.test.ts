import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import {
  decodeEntry,
  encodeEntry,
  formatCheckpoint,
  SealedFields,
  sealEntry,
  signNote,
  type StoredBlob,
  verifierKey,
} from '#audit';
import { readDatabase } from '#authority';
import { loadConfiguration } from '#config';
import { readEntry } from '#enrollment';
import { generateSoftwareKey, loadSoftwareKey, type SoftwareKey } from '#keys';
import { authorityInProcess } from '../../../test/harness/authority.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { csrFor, makeKey } from '../../../test/harness/csr.ts';
import { est } from '../../../test/harness/est-client.ts';
import { type Copy, copyOf, rangeOf, rehashed, storageOf, withEntry } from './altered-storage.fixture.ts';
import { type LogReport, verifyAuthorityLog } from './verify-authority-log.ts';

suite('log verify', () => {
  const cleanup = suiteCleanup();
  let copy: Copy;
  let checkpoint: string;
  let key: SoftwareKey;
  let vkey: string;
  /** Indexes of the entry of an issuance and of a refusal. */
  let issued: number;
  let refused: number;

  before(async () => {
    const authority = await authorityInProcess(cleanup);
    const { est: url, trustPem: trust, admin, running, directory } = authority;
    const secret = await admin.expected('laptop-7');
    const enroll = (password: string) => {
      const body = csrFor('laptop-7', makeKey()).toString('base64');
      return est({ url: `${url}/device/simpleenroll`, body, user: ['laptop-7', password], trust });
    };
    assert.equal((await enroll('wrong')).status, 401);
    assert.equal((await enroll(secret)).status, 200);
    await running.close();

    const configuration = loadConfiguration(authority.configuration, {});
    const storage = await readDatabase(configuration, {});
    copy = await copyOf(storage);
    await storage.close();
    checkpoint = await readFile(configuration.log.checkpointFile, 'utf8');
    const passphrase = (await readFile(join(directory, 'secrets/passphrase'), 'utf8')).trim();
    key = await loadSoftwareKey(await readFile(configuration.log.key.file, 'utf8'), passphrase);
    vkey = verifierKey(configuration.log.origin, key.spki);
    const outcomes = copy.entries.map((bytes) => decodeEntry(bytes)['outcome']);
    issued = outcomes.indexOf('issued');
    refused = outcomes.indexOf('refused');
    assert.ok(issued > 0 && refused > 0);
  });

  const verify = (altered: Copy, note: string | null = checkpoint): Promise<LogReport> =>
    verifyAuthorityLog({
      storage: storageOf(altered),
      checkpoint: note,
      verifierKey: vkey,
      progress: () => {},
    });

  const beside = (index: number) => copy.blobs.filter((blob) => blob.index === index);
  const opened = (index: number) => readEntry(copy.entries[index]!, beside(index)).entry;
  /** The blob that an entry's leaf names by this address. */
  const blobAt = (address: unknown) =>
    copy.blobs.find((blob) => Buffer.from(blob.address).toString('hex') === address)!;
  const without = (...taken: readonly StoredBlob[]) => copy.blobs.filter((blob) => !taken.includes(blob));

  /** A checkpoint over what is there now: even whoever has the log's key cannot make a wrong verdict right. */
  const signedAnew = async (altered: Copy) => {
    const range = rangeOf(altered);
    const text = formatCheckpoint({ origin: altered.origin, size: range.size, root: range.root() });
    return signNote(text, { name: altered.origin, key });
  };

  const assertFindings = (report: LogReport, expected: readonly (readonly [number | null, RegExp])[]) => {
    const found = report.findings.map(({ index, message }) => `${index}: ${message}`).join('\n');
    assert.equal(report.ok, false);
    assert.equal(report.findings.length, expected.length, found);
    for (const [index, words] of expected) {
      assert.ok(
        report.findings.some((finding) => finding.index === index && words.test(finding.message)),
        found,
      );
    }
  };

  test('as the authority left it, it verifies', async () => {
    const report = await verify(copy);
    assert.deepEqual(report.findings, []);
    assert.equal(report.ok, true);
    assert.equal(report.size, copy.entries.length);
    assert.equal(report.certificates, 1);
  });

  test('an entry edited in place is found by its index', async () => {
    const report = await verify(withEntry(copy, 1, (entry) => ({ ...entry, operator: 'mallory' })));
    assertFindings(report, [
      [1, /not those that were hashed/],
      [null, /root in the head/],
      [null, /not those whose root was signed/],
    ]);
  });

  test('an entry edited with every hash made to fit is found by the signed checkpoint', async () => {
    const report = await verify(rehashed(withEntry(copy, 1, (entry) => ({ ...entry, operator: 'mallory' }))));
    assertFindings(report, [[null, /not those whose root was signed/]]);
  });

  test('a tail that was cut is found by the signed checkpoint', async () => {
    const report = await verify(rehashed({ ...copy, entries: copy.entries.slice(0, -1) }));
    assertFindings(report, [[null, /tail is cut/]]);
  });

  test('a missing checkpoint is a finding, and so is one of another log', async () => {
    assertFindings(await verify(copy, null), [[null, /checkpoint file is missing/]]);
    const text = formatCheckpoint({
      origin: 'other/log',
      size: 0,
      root: rangeOf({ ...copy, hashes: [] }).root(),
    });
    const other = await signNote(text, { name: 'other/log', key });
    assertFindings(await verify(copy, other), [[null, /checkpoint is refused/]]);
  });

  test('another key than the log was created with is found, by the checkpoint and by entry 0', async () => {
    const { spki } = await generateSoftwareKey('ed25519');
    const report = await verifyAuthorityLog({
      storage: storageOf(copy),
      checkpoint,
      verifierKey: verifierKey(copy.origin, spki),
      progress: () => {},
    });
    assertFindings(report, [
      [null, /checkpoint is refused/],
      [0, /another public key/],
    ]);
  });

  for (const [what, change, words] of [
    [
      'a verdict',
      (entry: Record<string, unknown>) => ({ ...entry, verdict: { decision: 'allow', objections: [] } }),
      /allow was recorded, deny \(/,
    ],
    [
      'an objection',
      (entry: Record<string, unknown>) => ({ ...entry, verdict: { decision: 'deny', objections: [] } }),
      /deny was recorded, deny \(/,
    ],
    [
      'an observation',
      (entry: Record<string, unknown>) => ({
        ...entry,
        observations: { ...(entry['observations'] as object), secret: null },
      }),
      /comes out otherwise/,
    ],
    [
      'an outcome',
      (entry: Record<string, unknown>) => ({ ...entry, outcome: 'held' }),
      /held against the verdict deny/,
    ],
    [
      'observations that are none',
      (entry: Record<string, unknown>) => ({ ...entry, observations: null }),
      /cannot be judged again/,
    ],
    [
      'policies nobody has',
      (entry: Record<string, unknown>) => ({ ...entry, policies: '00' }),
      /policies 00 .* are missing/,
    ],
    [
      'references nobody has',
      (entry: Record<string, unknown>) => ({ ...entry, references: '00' }),
      /references 00 .* are missing/,
    ],
    [
      'a version nobody knows',
      (entry: Record<string, unknown>) => ({ ...entry, version: 9 }),
      /kind or version/,
    ],
  ] as const) {
    test(`${what} in an entry, hashed and signed anew, is found by judging again`, async () => {
      const altered = rehashed(withEntry(copy, refused, change));
      assertFindings(await verify(altered, await signedAnew(altered)), [[refused, words]]);
    });
  }

  test('a certificate issued against the verdict is found', async () => {
    const { certificate } = opened(issued);
    const altered = rehashed(
      withEntry(copy, refused, (entry) => ({ ...entry, outcome: 'redelivered', certificate })),
    );
    assertFindings(await verify(altered, await signedAnew(altered)), [
      [refused, /redelivered against the verdict deny/],
    ]);
  });

  test('an entry that does not decode is found', async () => {
    const altered = rehashed({
      ...copy,
      entries: copy.entries.toSpliced(1, 1, Buffer.from('{"b":1,"a":2}')),
    });
    assertFindings(await verify(altered, await signedAnew(altered)), [[1, /does not decode/]]);
  });

  test('references or policies changed behind their digest are found', async () => {
    const bodies = {
      references: async (digest: string) =>
        Buffer.concat([(await copy.bodies.references(digest))!, Buffer.from(' ')]),
      policies: async (digest: string) => `${(await copy.bodies.policies(digest))!} `,
    };
    const requests = copy.entries.filter((bytes) => decodeEntry(bytes)['type'] === 'request').length;
    for (const part of ['references', 'policies'] as const) {
      const report = await verify({ ...copy, bodies: { ...copy.bodies, [part]: bodies[part] } });
      assert.equal(report.findings.length, requests);
      assert.match(report.findings[0]!.message, new RegExp(`the ${part} .* were changed`));
    }
  });

  test('a certification request missing, changed or put beside another entry is found', async () => {
    const { certificationRequest } = opened(refused) as { certificationRequest?: { blob: string } };
    const kept = blobAt(certificationRequest?.blob);
    assertFindings(await verify({ ...copy, blobs: without(kept) }), [
      [refused, /certification request that it names is not there/],
    ]);
    const bytes = Buffer.from(kept.bytes);
    bytes[40]! ^= 1;
    for (const altered of [
      { ...kept, bytes },
      { ...kept, salt: Buffer.alloc(16) },
      { ...kept, salt: Buffer.alloc(17) },
    ]) {
      assertFindings(await verify({ ...copy, blobs: [...without(kept), altered] }), [
        [refused, /certification request was changed/],
      ]);
    }
    assertFindings(await verify({ ...copy, blobs: [...without(kept), { ...kept, index: 0 }] }), [
      [0, /something is kept beside it that it does not name/],
      [refused, /is not there/],
    ]);
  });

  test('personal fields missing, changed, put beside another entry, or those of another document are found', async () => {
    const document = blobAt(decodeEntry(copy.entries[refused]!)['sealed']);
    assertFindings(await verify({ ...copy, blobs: without(document) }), [
      [refused, /its personal fields are not there/],
    ]);
    const text = Buffer.from(document.bytes).toString();
    const changed = Buffer.from(text.replace('laptop-7', 'laptop-8'));
    assert.notEqual(changed.toString(), text);
    for (const altered of [
      { ...document, bytes: changed },
      { ...document, bytes: Buffer.from('{') },
      { ...document, salt: Buffer.alloc(16) },
      { ...document, salt: Buffer.alloc(17) },
    ]) {
      assertFindings(await verify({ ...copy, blobs: [...without(document), altered] }), [
        [refused, /personal fields are not those that it names/],
      ]);
    }
    assertFindings(await verify({ ...copy, blobs: [...without(document), { ...document, index: 0 }] }), [
      [0, /something is kept beside it that it does not name/],
      [refused, /its personal fields are not there/],
    ]);
  });

  test('a document in which the verdict was hidden too, with every hash and the checkpoint made to fit, is found', async () => {
    const fields = new SealedFields(['/facts', '/verdict', '/observations']);
    const { bytes, document } = sealEntry(opened(refused), fields, Buffer.alloc(16, 1));
    const old = blobAt(decodeEntry(copy.entries[refused]!)['sealed']);
    const altered = rehashed({
      ...copy,
      entries: copy.entries.toSpliced(refused, 1, bytes),
      blobs: [...without(old), { ...document!, index: refused }],
    });
    assertFindings(await verify(altered, await signedAnew(altered)), [
      [refused, /personal fields are not those that it names/],
    ]);
  });

  test('a certificate missing from the store is found, and one that was never logged', async () => {
    assertFindings(await verify({ ...copy, certificates: [] }), [[issued, /is not in the store/]]);
    const extra = { ...copy.certificates[0]!, serialNumber: 'abcd', logIndex: refused };
    const certificates = [extra, ...copy.certificates].toSorted((a, b) => a.logIndex - b.logIndex);
    assertFindings(await verify({ ...copy, certificates }), [
      [refused, /abcd is in the store, and its issuance is not/],
    ]);
    const later = { ...copy.certificates[0]!, serialNumber: 'abcd', logIndex: copy.entries.length };
    assertFindings(await verify({ ...copy, certificates: [...copy.certificates, later] }), [
      [copy.entries.length, /its issuance is not/],
    ]);
  });

  test('a certificate whose bytes were exchanged is found', async () => {
    const [certificate] = copy.certificates;
    const der = encodeEntry({ not: 'a certificate' });
    assertFindings(await verify({ ...copy, certificates: [{ ...certificate!, der }] }), [
      [issued, /bytes in the store were changed/],
    ]);
    const other = { ...certificate!, serialNumber: 'abcd' };
    assertFindings(await verify({ ...copy, certificates: [other] }), [
      [issued, /the store has certificate abcd here/],
    ]);
  });
});
