import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { derToPem, parseCertificate, parseCertificationRequest, pemToDer } from '#x509';
import { findClient, requireClient } from '../clients.ts';
import { sallyport } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { privateKeyPem } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { type KeyKind, tpmClients } from '../harness/software-tpm.ts';
import { TpmManufacturer } from '../harness/tpm-manufacturer.ts';
import { TestDevice } from '../harness/test-device.ts';
import { type AttestedAuthority, attestedAuthority, TpmDevice } from '../harness/tpm-device.ts';
import { resourceManager } from '../harness/tpm-resource-manager.ts';

const missing = tpmClients.map((client) => findClient(client)).find((found) => 'skip' in found);
const skip = missing !== undefined && 'skip' in missing ? missing.skip : false;

/** `sallyport attest` with a TPM in software, against the shipped front door: `init`, then `serve`. */
describe('sallyport attest', { skip, timeout: 300_000 }, () => {
  const cleanup = suiteCleanup();
  let authority: AttestedAuthority;
  let manufacturer: TpmManufacturer;

  before(async () => {
    authority = await attestedAuthority(cleanup);
    manufacturer = await TpmManufacturer.begin(cleanup);
  });

  async function deviceWithTpm(id: string, kind: KeyKind = 'ecc'): Promise<TpmDevice> {
    await authority.admin.device(id, { deviceClass: 'attested-laptop' });
    return TpmDevice.make(cleanup, await manufacturer.make(cleanup), authority.attestationCa, id, kind);
  }

  const renewed = (device: TpmDevice, from: string, to: string, environment = {}) =>
    device.attestIn(
      environment,
      authority,
      '',
      '--est',
      `${authority.est}/device`,
      '--renew',
      from,
      '--out',
      to,
    );

  async function certificateIn({ folder }: TpmDevice, name: string) {
    return parseCertificate(pemToDer(await folder.read(`${name}/certificate.pem`), 'CERTIFICATE')[0]!);
  }

  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;

  const overEst = (device: TpmDevice, id: string, secret: string, ...words: readonly string[]) =>
    device.attest(
      authority,
      secret,
      '--est',
      `${authority.est}/device`,
      '--subject',
      id,
      '--secret',
      '-',
      ...words,
    );

  test('enrolls over EST without an operator, and keeps the key in the TPM as well', async () => {
    const device = await deviceWithTpm('erna');
    const secret = await authority.admin.secret('erna');
    const kept = '0x81010200';
    const { code, stdout, stderr } = await overEst(device, 'erna', secret, '--out', 'own', '--handle', kept);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Wrote own: certificate\.pem of CN=erna, until .* kept at 0x81010200 as well\.\n$/);
    const { action, outcome } = await newest();
    assert.deepEqual([action, outcome], ['enroll', 'issued']);
    await device.folder.must('openssl', 'verify', '-CAfile', authority.trust, 'own/certificate.pem');
    const { spki } = await certificateIn(device, 'own');
    assert.deepEqual(Buffer.from((await device.tpm.read(kept)).spki), Buffer.from(spki));
    assert.match(await device.folder.read('own/key.pem'), /^-----BEGIN TSS2 PRIVATE KEY-----\n/);
    // What certifying needed is there no more.
    assert.deepEqual(await device.tpm.persistent(), [device.attestationKey.handle, kept]);
    const again = await overEst(device, 'erna', secret, '--out', 'own');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /own has a certificate already; name another folder/);
  });

  test('enrolls with an RSA key, an RSA attestation key that is a context file, and a request written before', async () => {
    const device = await deviceWithTpm('rita', 'rsa');
    const secret = await authority.admin.secret('rita');
    const words = ['--attestation-key', device.tpm.context, '--key', 'rsa-2048', '--out', 'own', '--json'];
    const written = await overEst(device, 'rita', secret, ...words, '--dry-run');
    assert.equal(written.code, 0, written.stderr);
    const { request: file } = JSON.parse(written.stdout) as { request: string };
    const request = await readFile(file);
    const { code, stdout, stderr } = await overEst(device, 'rita', secret, ...words);
    assert.equal(code, 0, stderr);
    const { serialNumber } = JSON.parse(stdout) as { serialNumber: string };
    const certificate = await certificateIn(device, 'own');
    assert.equal(certificate.serialNumber, serialNumber);
    assert.deepEqual(Buffer.from(certificate.spki), Buffer.from(parseCertificationRequest(request).spki));
  });

  test('enrolls over SCEP, with the nonce that came with the secret', async () => {
    const device = await deviceWithTpm('sven');
    const { secret, nonce } = await authority.admin.client.perform('createSecret', {
      device: 'sven',
      template: 'device',
      nonce: true,
    });
    const scep = [
      '--scep',
      `${new URL(authority.est).origin}/scep/device`,
      '--subject',
      'sven',
      '--secret',
      '-',
      '--out',
      'own',
    ];
    const without = await device.attest(authority, secret, ...scep);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /SCEP gives out no nonce/);
    const wrong = await device.attest(authority, secret, ...scep, '--nonce', 'A'.repeat(43));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /refused it: The evidence is not fresh/);
    const key = await readFile(device.folder.path('own/refused-key.pem'), 'utf8');
    const { code, stderr } = await device.attest(authority, secret, ...scep, '--nonce', nonce!);
    assert.equal(code, 0, stderr);
    assert.equal(await readFile(device.folder.path('own/key.pem'), 'utf8'), key, 'attested anew');
    const { observations, outcome } = await newest();
    assert.deepEqual([observations.source.protocol, outcome], ['scep', 'issued']);
    await device.folder.must('openssl', 'verify', '-CAfile', authority.trust, 'own/certificate.pem');
  });

  test('waits for an operator, and is sent again by the same command', async () => {
    const device = await deviceWithTpm('wanda');
    const first = await overEst(device, 'wanda', await authority.admin.secret('wanda'), '--out', 'first');
    assert.equal(first.code, 0, first.stderr);
    const secret = await authority.admin.secret('wanda');
    const waiting = await overEst(device, 'wanda', secret, '--out', 'second', '--wait', '1s');
    assert.equal(waiting.code, 4);
    assert.match(waiting.stderr, /waits for approval; asking again in 1 s/);
    const { verdict } = await newest();
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['enrollment-again'],
    );
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const { id } = items.find(({ device }) => device === 'wanda')!;
    const approved = await sallyport('request', 'approve', id, '--config', authority.configuration);
    assert.equal(approved.code, 0, approved.stderr);
    const { code, stderr } = await overEst(device, 'wanda', secret, '--out', 'second');
    assert.equal(code, 0, stderr);
    assert.notDeepEqual(await certificateIn(device, 'first'), await certificateIn(device, 'second'));
  });

  test('takes the place of a key in a file, when it renews', async () => {
    const software = await TestDevice.enrolled(authority, 'fee');
    await authority.admin.device('fee', { deviceClass: 'attested-laptop' });
    const device = await deviceWithTpm('fee');
    await mkdir(device.folder.path('file'));
    await writeFile(
      device.folder.path('file/certificate.pem'),
      derToPem(software.certificate!, 'CERTIFICATE'),
    );
    await writeFile(device.folder.path('file/key.pem'), privateKeyPem(software.key));
    const { code, stderr } = await renewed(device, 'file', 'own');
    assert.equal(code, 0, stderr);
    const { action, outcome } = await newest();
    assert.deepEqual([action, outcome], ['renew', 'issued']);
    const next = await renewed(device, 'own', 'next', { OPENSSL_MODULES: '/nonexistent' });
    assert.equal(next.code, 4);
    assert.match(next.stderr, /openssl finds no provider tpm2; install tpm2-openssl/);
  });

  test('renews with its key in the TPM, by openssl', async (t) => {
    if (requireClient(t, 'tpm2-openssl') === null) return;
    const device = await deviceWithTpm('tina');
    const environment = await resourceManager(t, device.tpm);
    if (environment === null) return;
    const first = await overEst(device, 'tina', await authority.admin.secret('tina'), '--out', 'first');
    assert.equal(first.code, 0, first.stderr);
    for (const [from, to] of [
      ['first', 'second'],
      ['second', 'third'],
    ] as const) {
      const { code, stderr } = await renewed(device, from, to, environment);
      assert.equal(code, 0, stderr);
      const { action, outcome } = await newest();
      assert.deepEqual([action, outcome], ['renew', 'issued']);
    }
    const trust = device.folder.path('others.pem');
    await writeFile(trust, authority.attestationCa.pem);
    const words = ['--est', `${authority.est}/device`, '--renew', 'third', '--out', 'fourth'];
    const unverified = await device.attestIn(environment, { trust }, '', ...words);
    assert.equal(unverified.code, 4);
    assert.match(unverified.stderr, /does not answer: openssl: .*certificate verify failed/);
  });

  test('says what to do where it cannot go on', async () => {
    const device = await deviceWithTpm('olaf');
    const elsewhere = await TpmDevice.make(cleanup, device.tpm, authority.attestationCa, 'olaf');
    const at = (...words: readonly string[]) => overEst(device, 'olaf', 'x', '--out', 'none', ...words);
    const from = (environment: Record<string, string>, est: string) => {
      const words = ['--subject', 'olaf', '--secret', '-', '--out', 'none', '--est', est];
      return device.attestIn(environment, authority, 'x', ...words);
    };
    const noTpm = { TPM2TOOLS_TCTI: 'swtpm:host=127.0.0.1,port=1' };
    for (const [attest, code, words] of [
      [
        () => at('--attestation-key', '0x81010999'),
        2,
        /0x81010999 is no key of this TPM .*handles-persistent/,
      ],
      [() => at('--attestation-key', elsewhere.attestationKey.handle), 2, /is not of the key 0x810101/],
      [() => at('--attestation-key', 'none.ctx'), 2, /none\.ctx cannot be read/],
      [() => at('--handle', device.attestationKey.handle), 2, /the TPM keeps something at 0x810101/],
      [() => at('--handle', '0x01'), 2, /A persistent handle is 0x81/],
      [() => from(noTpm, 'https://127.0.0.1:1/x'), 1, /no TPM 2\.0 answers .*TPM2TOOLS_TCTI/],
      [() => from({}, 'https://127.0.0.1:1/x'), 4, /https:\/\/127\.0\.0\.1:1 does not answer/],
      [() => from({}, 'http://127.0.0.1:1/x'), 2, /EST is over https alone/],
      [() => at(), 1, /refused it \(401\)/],
    ] as const) {
      const { code: ended, stdout, stderr } = await attest();
      assert.deepEqual([ended, stdout], [code, ''], stderr);
      assert.match(stderr, words);
    }
    const trust = device.folder.path('others.pem');
    await writeFile(trust, authority.attestationCa.pem);
    const own = ['--subject', 'olaf', '--secret', '-', '--out', 'none'];
    const byScep = [
      '--scep',
      `${new URL(authority.est).origin}/scep/device`,
      '--nonce',
      'A'.repeat(43),
      ...own,
    ];
    const byEst = ['--est', `${authority.est}/device`, ...own];
    for (const words of [byScep, byEst]) {
      const unverified = await device.attest({ trust }, 'x', ...words);
      assert.deepEqual([unverified.code, unverified.stdout], [4, ''], unverified.stderr);
      assert.match(unverified.stderr, /does not answer: unable to/);
    }
    assert.ok(!existsSync(device.folder.path('none/request.der')));
  });
});
