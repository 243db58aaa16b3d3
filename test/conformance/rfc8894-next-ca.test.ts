import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { cmsOids, openSignedData, parseCertsOnly } from '#cms';
import type { RequestEntry } from '#enrollment';
import { derToPem, oids, readDer, verifyCertificateSignature } from '#x509';
import { requireClient } from '../clients.ts';
import { anyPorts, authorityInProcess, initAuthority, sallyport } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { makeKey } from '../harness/csr.ts';
import { entriesOf } from '../harness/entries.ts';
import { base64 } from '../harness/est-client.ts';
import { askHttp } from '../harness/http.ts';
import { TestCa } from '../harness/pki.ts';
import { ScepClient } from '../harness/scep-client.ts';
import { editSettings } from '../harness/second-issuer.ts';
import { ScepDevice } from '../harness/scep-device.ts';

interface Settings {
  issuers: { issuing: { next?: unknown; ra?: unknown } };
}

const cleanup = suiteCleanup();
const nextRoot = TestCa.root('Next Root CA');
const nextIssuing = nextRoot.intermediate('Next Issuing CA');
const nextRa = nextIssuing.endEntity({
  subject: [{ type: 'commonName', value: 'Next RA' }],
  key: makeKey('rsa-2048'),
  keyUsage: ['digitalSignature', 'keyEncipherment'],
  notAfter: Date.now() + 3650 * 86_400_000,
});
const next = {
  certificate: 'pki/next-issuing.pem',
  chain: ['pki/next-root.pem'],
  ra: 'pki/next-ra.pem',
};

async function saveNext(directory: string): Promise<void> {
  const save = (name: string, { pem }: { pem: string }) => writeFile(path.join(directory, name), pem);
  await save(next.certificate, nextIssuing);
  await save(next.chain[0]!, nextRoot);
  await save(next.ra, nextRa);
}

describe('RFC 8894 section 4.7, GetNextCACert', () => {
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let device: ScepDevice;
  const ask = (operation: string) => askHttp(`${authority.scep}/device?operation=${operation}`);
  const capabilities = async () => (await ask('GetCACaps')).text.split('\n');
  const configure = async (setting: unknown) => {
    await editSettings<Settings>(authority, ({ issuers: { issuing } }) => {
      issuing.next = setting;
    });
    return authority.running.reload();
  };

  before(async () => {
    authority = await authorityInProcess(cleanup);
    await saveNext(authority.directory);
    device = await ScepDevice.make(authority, 'scep-next');
  });

  test('without what follows it is no capability, and answered with an error of HTTP', async () => {
    assert.ok(!(await capabilities()).includes('GetNextCACert'));
    const answer = await ask('GetNextCACert');
    assert.equal(answer.status, 501);
    assert.match(answer.text, /GetNextCACert is not offered here/);
  });

  test('section 3.5.2: it is a capability from the reload that names what follows', async () => {
    assert.deepEqual(await configure(next), ['issuers.issuing.next']);
    assert.ok((await capabilities()).includes('GetNextCACert'));
  });

  test('section 4.7.1: SignedData by the key that signs everything else, around the certificates that follow', async () => {
    const answer = await ask('GetNextCACert');
    assert.deepEqual([answer.status, answer.type], [200, 'application/x-x509-next-ca-cert']);
    const { signer, content, digest } = openSignedData(answer.body);
    assert.deepEqual(signer.der, device.client.ra.der);
    assert.ok(verifyCertificateSignature(signer, device.client.cas[0]!.spki));
    assert.deepEqual([content!.type, digest], [oids.data, 'sha256']);
    assert.deepEqual(
      parseCertsOnly(content!.bytes).map(base64),
      [nextRa, nextIssuing, nextRoot].map(({ certificate }) => base64(certificate)),
    );
    const entry = (await entriesOf(authority)).at(-1) as unknown as RequestEntry;
    const { operation } = entry.observations.source;
    assert.deepEqual([entry.outcome, operation], ['answered', 'GetNextCACert']);
  });

  test('openssl cms verifies it under the root that is in force, and under no other', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const folder = await ClientFolder.make(t);
    const root = device.client.cas.at(-1);
    await writeFile(folder.path('answer.der'), (await ask('GetNextCACert')).body);
    await writeFile(folder.path('root.pem'), derToPem(root!.der, 'CERTIFICATE'));
    await writeFile(folder.path('next.pem'), nextRoot.pem);
    const verify = ['cms', '-verify', '-binary', '-inform', 'DER', '-in', 'answer.der', '-out', 'next.p7b'];
    const trusting = (file: string) => [...verify, '-no-CApath', '-no-CAstore', '-CAfile', file];
    await folder.must(openssl, ...trusting('root.pem'));
    const list = ['pkcs7', '-inform', 'DER', '-in', 'next.p7b', '-print_certs'];
    const { stdout } = await folder.must(openssl, ...list);
    assert.deepEqual(
      [...stdout.toString().matchAll(/^subject=.*CN ?= ?(.*)$/gm)].map((found) => found[1]),
      ['Next RA', 'Next Issuing CA', 'Next Root CA'],
    );
    assert.notEqual((await folder.run(openssl, ...trusting('next.pem'))).code, 0);
  });

  test('GetCACert goes on giving what is in force, and a device enrolls with it', async () => {
    const { ra } = await ScepClient.at(`${authority.scep}/device`);
    assert.deepEqual(ra.der, device.client.ra.der);
    const answer = await device.enroll();
    assert.equal(answer.pkiStatus, 'success', answer.text);
  });

  test('many who ask get one message, and after an hour another', async () => {
    const signedAt = (body: Uint8Array) =>
      Buffer.from(readDer(openSignedData(body).attributes.get(cmsOids.signingTime)!).content).toString();
    const bodies = await Promise.all(
      Array.from({ length: 5 }, async () => (await ask('GetNextCACert')).body),
    );
    for (const body of bodies) assert.deepEqual(body, bodies[0]);
    authority.advance(3_600_000);
    assert.notEqual(signedAt((await ask('GetNextCACert')).body), signedAt(bodies[0]!));
  });

  test('what cannot follow is refused at the reload, and what was told before stays', async () => {
    const before = (await ask('GetNextCACert')).body;
    await assert.rejects(
      configure({ ...next, chain: [] }),
      /issuer issuing, next: the chain is not in order/,
    );
    const { content } = openSignedData((await ask('GetNextCACert')).body);
    assert.deepEqual(content, openSignedData(before).content);
  });

  test('the log says that it was told: the references that a reload names are others', async () => {
    const referencesOfReload = async () => {
      const reloaded = (await entriesOf(authority)).findLast((entry) => entry['event'] === 'reloaded');
      return (reloaded as unknown as { detail: { references: string } }).detail.references;
    };
    await configure(next);
    const withAll = await referencesOfReload();
    await configure({ ...next, ra: undefined });
    const withoutRa = await referencesOfReload();
    await configure(undefined);
    const without = await referencesOfReload();
    assert.equal(new Set([withAll, withoutRa, without]).size, 3);
    assert.equal((await ask('GetNextCACert')).status, 501);
  });
});

test('what follows without an RA to sign it is refused when the configuration is read', async () => {
  const files = await initAuthority(cleanup, anyPorts);
  await saveNext(files.directory);
  await editSettings<Settings & { listeners: { scep?: unknown } }>(files, ({ issuers, listeners }) => {
    issuers.issuing.next = next;
    delete issuers.issuing.ra;
    delete listeners.scep;
  });
  const { code, stderr } = await sallyport('serve', '--config', files.configuration);
  assert.equal(code, 3);
  assert.match(stderr, /issuers\.issuing\.next: needs issuers\.issuing\.ra/);
});
