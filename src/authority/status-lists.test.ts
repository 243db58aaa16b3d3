import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import type { StatusLists } from '#enrollment';
import type { TrustAnchors } from '#evidence';
import { assembleSigned, encodeRevokedCertificates, encodeTbsCertList, parseCertificate } from '#x509';
import { TestCa } from '../../test/harness/pki.ts';
import { loadStatusLists } from './status-lists.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 10, 26);
const [one, two] = [TestCa.root('Maker One'), TestCa.root('Maker Two')];
const anchorsOf = (...roots: readonly TestCa[]): readonly TrustAnchors[] => [
  {
    name: 'makers',
    format: 'endorsement',
    level: 'discrete-tpm',
    roots: roots.map(({ certificate }) => Buffer.from(certificate).toString('base64')),
    intermediates: [],
  },
];
const anchors = anchorsOf(one, two);

function crl(ca: TestCa, serials: readonly string[], thisUpdate = now - day): Uint8Array {
  const algorithm = ca.key.algorithm as 'ec-p256';
  const entries = serials.map((serialNumber) => ({ serialNumber, revokedAt: now - day, reason: 1 }));
  const tbs = encodeTbsCertList({
    signatureAlgorithm: algorithm,
    issuer: parseCertificate(ca.certificate).subjectDer,
    thisUpdate,
    nextUpdate: now + day,
    revoked: entries.length === 0 ? [] : [encodeRevokedCertificates(entries)],
    extensions: [],
  });
  return assembleSigned(tbs, algorithm, sign('sha256', tbs, ca.key.privateKey));
}

const google = (serial: string) => JSON.stringify({ entries: { [serial]: { status: 'REVOKED' } } });

async function folder(t: TestContext) {
  const directory = await mkdtemp(path.join(tmpdir(), 'sallyport-'));
  t.after(() => rm(directory, { recursive: true }));
  const files = {
    android: path.join(directory, 'status.json'),
    one: path.join(directory, 'one.crl'),
    two: path.join(directory, 'two.crl'),
  };
  const configuration = {
    attestation: { statusLists: { 'android-key': files.android, endorsement: [files.one, files.two] } },
  };
  const load = async (before: StatusLists = {}, by = anchors) => {
    const faults: string[] = [];
    const lists = await loadStatusLists(configuration, by, {
      before,
      fault: ({ message }) => faults.push(message),
    });
    return { lists, faults, told: toldBy(lists) };
  };
  return { files, load };
}

/** All serial numbers that are listed: Google's first. */
function toldBy({ 'android-key': android, endorsement }: StatusLists): readonly string[][] {
  return [
    [...(android?.list.entries.keys() ?? [])],
    ...(endorsement?.lists.map(({ serialNumbers }) => [...serialNumbers]) ?? []),
  ];
}

suite('files of revoked keys', () => {
  test('of a file that cannot be read what it was before is in force, and others are read', async (t) => {
    const { files, load } = await folder(t);
    await writeFile(files.android, google('ab'));
    await writeFile(files.one, crl(one, ['0a']));
    await writeFile(files.two, crl(two, ['0b']));
    const first = await load();
    assert.deepEqual([first.told, first.faults], [[['ab'], ['0a'], ['0b']], []]);
    await writeFile(files.android, google('abcd'));
    await writeFile(files.one, '<html>captive portal</html>');
    await writeFile(files.two, crl(two, ['0b', '0c']));
    const second = await load(first.lists);
    assert.deepEqual(second.told, [['abcd'], ['0a'], ['0b', '0c']]);
    assert.equal(second.faults.length, 1);
    assert.match(second.faults[0]!, /one\.crl is no list of revoked certificates: .*; what it was before is/);
    await writeFile(files.android, 'x');
    await rm(files.two);
    const third = await load(second.lists);
    assert.deepEqual(third.told, second.told);
    assert.equal(third.faults.length, 3);
    for (const name of ['one.crl', 'status.json', 'two.crl']) {
      assert.ok(
        third.faults.some((words) => words.includes(`${name} is no `)),
        name,
      );
    }
  });

  test('what could never be read is not there, whatever else is', async (t) => {
    const { files, load } = await folder(t);
    await writeFile(files.one, '');
    await writeFile(files.two, crl(two, ['0b']));
    const { told, faults, lists } = await load();
    assert.deepEqual(told, [[], ['0b']]);
    assert.equal('android-key' in lists, false);
    assert.equal(faults.length, 2);
    for (const words of faults) assert.doesNotMatch(words, /before/);
  });

  test('a list that no CA had signed counts as soon as one has that is configured', async (t) => {
    const { files, load } = await folder(t);
    await writeFile(files.android, google('ab'));
    await writeFile(files.one, crl(one, ['0a']));
    await writeFile(files.two, crl(two, ['0b']));
    const first = await load({}, anchorsOf(one));
    assert.deepEqual([first.told, first.faults.length], [[['ab'], ['0a']], 1]);
    const second = await load(first.lists, anchors);
    assert.deepEqual([second.told, second.faults], [[['ab'], ['0a'], ['0b']], []]);
  });

  test('a file in the place of one of the same time is read', async (t) => {
    const { files, load } = await folder(t);
    const save = async (of: { readonly [file in keyof typeof files]: string | Uint8Array }) => {
      for (const name of ['android', 'one', 'two'] as const) {
        await writeFile(`${files[name]}.new`, of[name]);
        await utimes(`${files[name]}.new`, now / 1000, now / 1000);
        await rename(`${files[name]}.new`, files[name]);
      }
    };
    await save({ android: google('ab'), one: crl(one, ['0a']), two: crl(two, ['0b']) });
    const first = await load();
    await save({ android: google('cd'), one: crl(one, ['0c']), two: crl(two, ['0d']) });
    const second = await load(first.lists);
    assert.deepEqual([second.told, second.faults], [[['cd'], ['0c'], ['0d']], []]);
    assert.equal(second.lists['android-key']?.at, now);
  });

  test('files that are as they were are not read again', async (t) => {
    const { files, load } = await folder(t);
    await writeFile(files.android, google('ab'));
    await writeFile(files.one, crl(one, ['0a']));
    await writeFile(files.two, crl(two, ['0b']));
    const { lists } = await load();
    const again = await load(lists);
    assert.equal(again.lists.endorsement, lists.endorsement);
    assert.equal(again.lists['android-key'], lists['android-key']);
  });
});
