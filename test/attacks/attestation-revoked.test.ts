import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import {
  assembleSigned,
  derToPem,
  encodeRevokedCertificates,
  encodeTbsCertList,
  parseCertificate,
} from '#x509';
import { ActivationClient, activatingAuthority } from '../harness/activating-authority.ts';
import { sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { EndorsedTpm, type PlayedKey } from '../harness/endorsed-tpm.ts';
import { entryOf } from '../harness/expect.ts';
import type { HttpAnswer } from '../harness/http.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestCa } from '../harness/pki.ts';

const day = 86_400_000;

interface Settings {
  readonly attestation: {
    readonly roots: { readonly makers: object };
    statusLists?: { readonly endorsement: readonly string[] };
  };
  readonly deviceClasses: {
    readonly 'attested-laptop': { readonly evidence: { readonly endorsement: Record<string, unknown> } };
  };
}

/** Keys of TPMs that came out, or a CA of their maker that did: the maker says so by a list, which the operator puts into a file. */
describe('endorsement keys that their maker takes back', () => {
  const cleanup = suiteCleanup();
  const root = TestCa.root('Maker of TPMs');
  const maker = root.intermediate('Maker of TPMs, 1');
  let authority: Awaited<ReturnType<typeof activatingAuthority>>;
  let client: ActivationClient;
  let files: { maker: string; root: string };
  before(async () => {
    authority = await activatingAuthority(cleanup, root.pem);
    client = new ActivationClient(authority);
    files = {
      maker: path.join(authority.directory, 'maker.crl'),
      root: path.join(authority.directory, 'root.crl'),
    };
    await writeFile(path.join(authority.directory, 'maker.pem'), maker.pem);
    await put('maker', maker, []);
    await put('root', root, []);
    await configure({});
  });

  const configure = async (endorsement: Record<string, unknown>, lists = Object.values(files)) => {
    const settings = parse(await readFile(authority.configuration, 'utf8')) as Settings;
    const ofClass = settings.deviceClasses['attested-laptop'].evidence.endorsement;
    Object.assign(settings.attestation.roots.makers, { intermediates: ['maker.pem'] });
    settings.attestation.statusLists = { endorsement: lists };
    ofClass['maximumStatusAge'] = null;
    Object.assign(ofClass, endorsement);
    await writeFile(authority.configuration, stringify(settings, { aliasDuplicateObjects: false }));
    await authority.running.reload();
  };
  let written = Date.now();
  /** In PEM for the maker, in DER for the root; what it lists is by certificate. */
  const put = async (file: 'maker' | 'root', ca: TestCa, revoked: readonly Uint8Array[], ends = day) => {
    const algorithm = ca.key.algorithm as 'ec-p256';
    const serials = revoked.map((each) => parseCertificate(each).serialNumber);
    const entries = serials.map((serialNumber) => ({ serialNumber, revokedAt: Date.now() - day, reason: 1 }));
    const tbs = encodeTbsCertList({
      signatureAlgorithm: algorithm,
      issuer: parseCertificate(ca.certificate).subjectDer,
      thisUpdate: Date.now() - 2 * day,
      nextUpdate: Date.now() + ends,
      revoked: entries.length === 0 ? [] : [encodeRevokedCertificates(entries)],
      extensions: [],
    });
    const list = assembleSigned(tbs, algorithm, sign('sha256', tbs, ca.key.privateKey));
    await writeFile(files[file], file === 'maker' ? derToPem(list, 'X509 CRL') : list);
    // Two in one moment are two.
    written += 1000;
    await utimes(files[file], new Date(written), new Date(written));
  };
  const known = async (id: string) => {
    const tpm = new EndorsedTpm(maker);
    const identifiers = { ekSha256: tpm.ekSha256 };
    await authority.admin.device(id, { deviceClass: 'attested-laptop', identifiers });
    return tpm;
  };
  const challenged = async (tpm: EndorsedTpm, key: PlayedKey) => {
    const answer = await client.attest(tpm, key);
    assert.equal(answer.status, 200, answer.text);
    return tpm.activate(key, JSON.parse(answer.text) as { credential: string; secret: string });
  };
  const rejected = async (answer: HttpAnswer, words: RegExp, status = 403) => {
    assert.equal(answer.status, status);
    assert.equal(answer.headers['retry-after'], status === 503 ? '60' : undefined);
    assert.match(String((await entryOf(authority, answer)).detail?.['problem']), words);
  };

  test('one that is listed is refused, between both messages too, and others are not', async () => {
    const [tpm, other] = [await known('listed'), await known('other')];
    const key = tpm.createKey();
    const secret = await challenged(tpm, key);
    await put('maker', maker, [tpm.certificate]);
    await authority.running.reload();
    await rejected(await client.attest(tpm, key), /^revocation: certificate \w+ is revoked by its issuer$/);
    const answer = await client.secret(secret);
    assert.equal(answer.status, 403);
    const { facts, observations } = await entryOf(authority, answer);
    assert.match(facts.reasons['attestation-trusted'] ?? '', /revoked by its issuer/);
    assert.ok(observations.evidence?.status && 'issuers' in observations.evidence.status);
    assert.equal((await client.secret(await challenged(other, other.createKey()))).status, 200);
  });

  test('a CA of the maker that its root takes back takes its TPMs along, and recheck finds what rests on it', async () => {
    const tpm = await known('of-the-ca');
    assert.equal((await client.secret(await challenged(tpm, tpm.createKey()))).status, 200);
    await put('root', root, [maker.certificate]);
    await authority.running.reload();
    await rejected(await client.attest(tpm, tpm.createKey()), /^revocation: /);
    const found = await sallyportHere(
      'attestation',
      'recheck',
      '--json',
      '--config',
      authority.configuration,
    );
    const { fallen } = JSON.parse(found.stdout) as {
      fallen: { device: string; problems: { check: string }[] }[];
    };
    const checks = fallen.find(({ device }) => device === 'of-the-ca')?.problems.map(({ check }) => check);
    assert.deepEqual(checks, ['revocation']);
    await put('root', root, []);
    await authority.running.reload();
    assert.equal((await client.attest(tpm, tpm.createKey())).status, 200);
  });

  test('whoever has the key of a CA that its root took back does not escape by writing its name in capitals', async () => {
    const forged = new EndorsedTpm(TestCa.root('MAKER OF TPMS, 1', { key: maker.key }));
    const identifiers = { ekSha256: forged.ekSha256 };
    await authority.admin.device('capitals', { deviceClass: 'attested-laptop', identifiers });
    assert.equal((await client.attest(forged, forged.createKey())).status, 200, 'a path is found');
    await put('root', root, [maker.certificate]);
    await authority.running.reload();
    await rejected(
      await client.attest(forged, forged.createKey()),
      /^revocation: certificate \w+ is revoked by its issuer$/,
    );
    await put('root', root, []);
    await authority.running.reload();
  });

  test('where the class says so a list must be there, and not be old', async () => {
    const tpm = await known('asked-for');
    await configure({ maximumStatusAge: '3d' });
    assert.equal((await client.attest(tpm, tpm.createKey())).status, 200);
    await configure({ maximumStatusAge: '1d' });
    await rejected(await client.attest(tpm, tpm.createKey()), /^revocation-list: /, 503);
    await configure({ maximumStatusAge: '3d' });
    const secret = await challenged(tpm, tpm.createKey());
    await configure({ maximumStatusAge: '1d' });
    const second = await client.secret(secret);
    assert.deepEqual([second.status, second.headers['retry-after']], [503, '60'], 'nothing is wrong with it');
    const { facts } = await entryOf(authority, second);
    assert.match(facts.reasons['attestation-trusted'] ?? '', /^revocation-list: /);
    await assert.rejects(
      configure({ maximumStatusAge: '3d' }, []),
      /needs attestation\.statusLists\.endorsement/,
    );
    // Of the root nobody has configured a list: no time mends that.
    await configure({ maximumStatusAge: '3d' }, [files.maker]);
    await rejected(await client.attest(tpm, tpm.createKey()), /^revocation-list: /);
    await configure({ maximumStatusAge: '3d' });
    await put('maker', maker, [], -1000);
    await authority.running.reload();
    await rejected(await client.attest(tpm, tpm.createKey()), /^revocation-list: /, 503);
    await put('maker', maker, []);
    await configure({});
  });

  test('a list that somebody else signed takes the place of none, and the operator is told', async () => {
    const tpm = await known('still-listed');
    await put('root', root, [maker.certificate]);
    await authority.running.reload();
    await put('root', TestCa.root('Maker of TPMs'), []);
    await authority.running.reload();
    await rejected(await client.attest(tpm, tpm.createKey()), /^revocation: /);
    const told = authority.faults.splice(0).map((each) => each as { id: string; error: Error });
    assert.match(
      told.find(({ id }) => id === 'status lists')?.error.message ?? '',
      /root\.crl is no list of revoked certificates: none of the CAs .*; what it was before is in force$/,
    );
    await put('root', root, []);
    await authority.running.reload();
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    const isFault = (each: unknown) => (each as { readonly id: string }).id !== 'finding';
    assert.deepEqual(authority.faults.filter(isFault), []);
  });
});
