import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { der, parseBase64Certificate, parseCertificate, readDer } from '#x509';
import { ActivationClient, activatingSettings, makersFile } from '../harness/activating-authority.ts';
import { type AuthorityInProcess, authorityInProcess, sallyportAt } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { EndorsedTpm } from '../harness/endorsed-tpm.ts';
import { base64, est, type EstAnswer } from '../harness/est-client.ts';
import { entryOf } from '../harness/expect.ts';
import { TestCa } from '../harness/pki.ts';
import { PlayedTpm } from '../harness/played-tpm.ts';

/** Order of P-256, whose issuing key `init` makes. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** ECDSA verifies (r, n - s) where it verifies (r, s): the same certificate, in other octets, without any key. */
function signedOtherwise(certificate: Uint8Array): Uint8Array {
  const whole = readDer(new Uint8Array(certificate)).sequence('certificate');
  const [tbs, algorithm] = [whole.next().der, whole.next().der];
  const signature = readDer(new Uint8Array(parseCertificate(certificate).signature)).sequence('signature');
  const [r, s] = [signature.next().unsignedBytes('r'), signature.next().unsignedBytes('s')];
  const other = (order - BigInt(`0x${s.toHex()}`)).toString(16).padStart(64, '0');
  const changed = der.sequence(der.integer(r), der.integer(Uint8Array.fromHex(other)));
  return der.sequence(tbs, algorithm, der.bitString(changed));
}

/** What we have certified of a TPM ourselves, we take back: by its certificate, by its key, and by what it rests on. */
describe('attestation keys that we have certified', () => {
  const cleanup = suiteCleanup();
  const root = TestCa.root('Maker of TPMs');
  const maker = root.intermediate('Maker of TPMs, 1');
  let authority: AuthorityInProcess;
  let client: ActivationClient;
  before(async () => {
    const file = await makersFile(cleanup, root.pem);
    authority = await authorityInProcess(cleanup, (yaml) => {
      const settings = activatingSettings(yaml, file);
      const ours = { format: 'tpm', certificates: ['pki/issuing.pem'], level: 'discrete-tpm' };
      Object.assign(settings['attestation']!['roots']!, { ours });
      Object.assign(settings['deviceClasses']!['attested-laptop']!['evidence'] as object, {
        tpm: { roots: ['ours'] },
      });
      settings['templates']!['device']!['validity'] = '90d';
      return stringify(settings, { aliasDuplicateObjects: false });
    });
    client = new ActivationClient(authority);
  });

  /** A device, its TPM, and an attestation key that was certified so often. */
  async function known(id: string, times = 1) {
    const tpm = new EndorsedTpm(maker);
    const identifiers = { ekSha256: tpm.ekSha256 };
    await authority.admin.device(id, { deviceClass: 'attested-laptop', identifiers });
    const key = tpm.createKey();
    const chains: Uint8Array[][] = [];
    for (let time = 0; time < times; time += 1) {
      const answer = await client.attest(tpm, key);
      assert.equal(answer.status, 200, answer.text);
      const opened = tpm.activate(key, JSON.parse(answer.text) as { credential: string; secret: string });
      const { chain } = JSON.parse((await client.secret(opened)).text) as { chain: string[] };
      chains.push(chain.map((each) => parseBase64Certificate(each).der));
    }
    const secret = await authority.admin.secret(id);
    return { id, chains, secret, key: key.key };
  }

  async function enroll(
    { id, secret, key }: Awaited<ReturnType<typeof known>>,
    chain: readonly Uint8Array[],
  ) {
    const at = { trust: authority.trustPem, user: [id, secret] as [string, string] };
    const given = await est({ url: `${authority.est}/device/nonce`, ...at });
    const nonce = Buffer.from(JSON.parse(given.text).nonce as string, 'base64url');
    const own = makeKey();
    const attribute = new PlayedTpm(key, chain).attribute(new Uint8Array(nonce), own);
    const csr = csrFor(id, own, { attributes: [attribute] });
    return est({ url: `${authority.est}/device/simpleenroll`, body: base64(csr), ...at });
  }

  async function revoke(chain: readonly Uint8Array[], reason: 'superseded' | 'keyCompromise'): Promise<void> {
    const { serialNumber: id } = parseCertificate(chain[0]!);
    await authority.admin.client.perform('revokeCertificate', { id, reason, remark: null });
  }

  async function refused(answer: EstAnswer, words: RegExp): Promise<void> {
    assert.equal(answer.status, 403, answer.text);
    const { facts } = await entryOf(authority, answer);
    assert.match(facts.reasons['attestation-trusted'] ?? '', words);
  }

  test('a certificate that was revoked is not another one by another signature', async () => {
    const device = await known('revoked');
    const [chain] = device.chains;
    await revoke(chain!, 'superseded');
    await refused(await enroll(device, chain!), /the certificate of its attestation key is revoked$/);
    const again = [signedOtherwise(chain![0]!), ...chain!.slice(1)];
    assert.notDeepEqual(again[0], chain![0]);
    await refused(await enroll(device, again), /the certificate of its attestation key is revoked$/);
  });

  test('a certificate of another device is not another one by another signature', async () => {
    const owner = await known('owner');
    const device = { ...(await known('thief')), key: owner.key };
    const [[own, ...above]] = owner.chains as [Uint8Array[]];
    for (const certificate of [own!, signedOtherwise(own!)]) {
      await refused(await enroll(device, [certificate, ...above]), /was issued to device owner$/);
    }
  });

  test('a key that was revoked as compromised attests by no certificate', async () => {
    const device = await known('compromised', 2);
    const [first, second] = device.chains;
    await revoke(first!, 'keyCompromise');
    await refused(await enroll(device, second!), /its attestation key was revoked as compromised$/);
  });

  test('one of two that was revoked for another reason leaves the other', async () => {
    const device = await known('superseded', 2);
    const [first, second] = device.chains;
    await revoke(first!, 'superseded');
    const answer = await enroll(device, signed(second!));
    assert.equal(answer.status, 200, answer.text);
  });
  const signed = ([own, ...above]: readonly Uint8Array[]) => [signedOtherwise(own!), ...above];

  for (const [reason, taken] of [
    ['superseded', 0],
    ['keyCompromise', 1],
  ] as const) {
    test(`what rests on one that is taken back later, as ${reason}, falls`, async () => {
      const device = await known(`later-${reason}`, 2);
      const answer = await enroll(device, device.chains[0]!);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(await fallen(device.id), []);
      await revoke(device.chains[taken]!, reason);
      assert.deepEqual(await fallen(device.id), [['device', ['attester-revoked']]]);
    });
  }

  test('what rests on one of which the database knows nothing any more falls', async () => {
    const device = await known('lost');
    const [chain] = device.chains;
    const answer = await enroll(device, chain!);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(await fallen('lost'), []);
    const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), { timeout: 5000 });
    const sha256 = createHash('sha256').update(chain![0]!).digest('hex');
    database.prepare('delete from certificate where sha256 = ?').run(sha256);
    database.close();
    assert.deepEqual(await fallen('lost'), [['device', ['attester-revoked']]]);
  });

  test('what rests on a key whose TPM is believed no more falls in the same run, and after the key has ended', async () => {
    const device = await known('rests');
    const answer = await enroll(device, device.chains[0]!);
    assert.equal(answer.status, 200, answer.text);
    const settings = parse(await readFile(authority.configuration, 'utf8')) as ReturnType<
      typeof activatingSettings
    >;
    const another = await makersFile(cleanup, TestCa.root('Another maker').pem);
    Object.assign(settings['attestation']!['roots']!['makers']!, {
      certificates: [another],
      fingerprints: undefined,
    });
    await writeFile(authority.configuration, stringify(settings, { aliasDuplicateObjects: false }));
    assert.deepEqual(await fallen('rests'), [
      ['attestation-key', ['certification-path']],
      ['device', ['attester-fallen']],
    ]);
    assert.deepEqual(await fallen('rests', 8), [['device', ['attester-fallen']]]);
  });

  async function fallen(of: string, days = 0) {
    const now = () => Date.now() + days * 86_400_000;
    const words = ['attestation', 'recheck', '--json', '--config', authority.configuration];
    const { stdout } = await sallyportAt(now, ...words);
    const found = JSON.parse(stdout) as {
      fallen: { device: string; template: string; problems: { check: string }[] }[];
    };
    return found.fallen
      .filter(({ device }) => device === of)
      .map(({ template, problems }) => [template, problems.map(({ check }) => check)]);
  }
});
