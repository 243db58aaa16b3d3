import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IssuerConfiguration } from '#config';
import { isSallyportError } from '#errors';
import { certify, certifyChain, savePem, temporaryFolder } from './certificates.fixture.ts';
import { readPinnedChain } from './pinned-chain.ts';

const issuerOf = (certificate: string, ...chain: string[]) =>
  ({ name: 'issuing', certificate, chain }) as unknown as IssuerConfiguration;

const refused = (words: RegExp) => (error: unknown) =>
  isSallyportError(error, 'config') && words.test(error.message);

test('the issuing CA first, those above it in order, the root last', async (t) => {
  const folder = await temporaryFolder(t);
  const holders = await certifyChain('Root', 'Policy', 'Issuing');
  const files = await Promise.all(holders.map((holder, at) => savePem(folder, `${at}.pem`, holder)));
  const { path, root, below } = await readPinnedChain(issuerOf(files[0]!, files[1]!, files[2]!));
  assert.deepEqual(
    path.map(({ certificate }) => certificate.der),
    holders.map(({ certificate }) => certificate.der),
  );
  assert.equal(root.file, files[2]);
  assert.deepEqual(
    below.map(({ file }) => file),
    [files[0], files[1]],
  );
});

test('a root that issues itself stands once', async (t) => {
  const file = await savePem(await temporaryFolder(t), 'root.pem', await certify('Root', null));
  const { path, below } = await readPinnedChain(issuerOf(file, file));
  assert.equal(path.length, 1);
  assert.deepEqual(below, []);
});

test('a chain in which one is not signed by the next is not handed out', async (t) => {
  const folder = await temporaryFolder(t);
  const [issuing, root] = await certifyChain('Root', 'Issuing');
  const other = await certify('Root', null);
  const end = await certify('Device', issuing!, { ca: false });
  const save = (name: string, holder: typeof other) => savePem(folder, name, holder);
  const files = {
    issuing: await save('issuing.pem', issuing!),
    root: await save('root.pem', root!),
    other: await save('other.pem', other),
    end: await save('end.pem', end),
  };
  await assert.rejects(
    readPinnedChain(issuerOf(files.issuing, files.other)),
    refused(/issuing\.pem is not signed by .*other\.pem/),
  );
  await assert.rejects(
    readPinnedChain(issuerOf(files.root, files.issuing)),
    refused(/root\.pem is not signed by/),
  );
  await assert.rejects(
    readPinnedChain(issuerOf(files.issuing, files.issuing)),
    refused(/issuing\.pem is no root/),
  );
  await assert.rejects(readPinnedChain(issuerOf(files.end, files.end)), refused(/end\.pem is no root/));
});

test('a file that is missing, or holds no certificate, is named', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(
    readPinnedChain(issuerOf(join(folder, 'none.pem'))),
    refused(/none\.pem cannot be read \(ENOENT\)/),
  );
  await writeFile(join(folder, 'key.pem'), 'nothing');
  await assert.rejects(
    readPinnedChain(issuerOf(join(folder, 'key.pem'))),
    refused(/key\.pem holds no certificate in PEM/),
  );
});
