import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { derToPem, parseCertificate, pemToDer } from '#x509';
import { findClient } from '../clients.ts';
import { activatingSettings, makersFile } from '../harness/activating-authority.ts';
import { withDeviceAttest } from '../harness/attesting-device.ts';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder, type ProcessResult } from '../harness/client-files.ts';
import { entriesOf, requestEntriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { type SoftwareTpm, tpmClients } from '../harness/software-tpm.ts';
import { TpmManufacturer } from '../harness/tpm-manufacturer.ts';

const found = [...tpmClients, 'step' as const].map((client) => findClient(client));
const missing = found.find((each) => 'skip' in each);
const skip = missing !== undefined && 'skip' in missing ? missing.skip : false;

/** A machine with a TPM in software, where step keeps what it makes. */
interface Machine {
  readonly id: string;
  readonly folder: ClientFolder;
  readonly socket: string;
}

/**
 * step, as it is published, with a TPM in software, against `init` and `serve`: from the endorsement key to an attestation key, and from that to a certificate by
 * device-attest-01. It has no external account key, and makes an account each time.
 */
describe('step with a TPM', { skip, timeout: 300_000 }, () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  let manufacturer: TpmManufacturer;
  let tpm: SoftwareTpm;

  before(async () => {
    manufacturer = await TpmManufacturer.begin(cleanup);
    tpm = await manufacturer.make(cleanup);
    const { issuer, root } = await manufacturer.certificates();
    const makers = await makersFile(cleanup, derToPem(root, 'CERTIFICATE'));
    const intermediates = await makersFile(cleanup, derToPem(issuer, 'CERTIFICATE'));
    const files = await initAuthority(cleanup, (yaml) => {
      // As if these TPMs were of firmware: devices are ordered for keys in hardware alone.
      const level = 'firmware-tpm';
      const settings = withDeviceAttest(activatingSettings(anyPorts(yaml), makers, level), {
        externalAccountKey: 'optional',
      });
      const roots = settings['attestation']!['roots']! as Record<string, Record<string, unknown>>;
      roots['makers']!['intermediates'] = [intermediates];
      roots['ours'] = { format: 'tpm', certificates: ['pki/issuing.pem'], level };
      const taken = { unregisteredManufacturers: true };
      settings['deviceClasses']!['attested-laptop'] = {
        attestation: 'required',
        evidence: { endorsement: { roots: ['makers'], ...taken }, tpm: { roots: ['ours'], ...taken } },
      };
      return stringify(settings, { aliasDuplicateObjects: false });
    });
    authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
  });

  async function machine(id: string, of: SoftwareTpm): Promise<Machine> {
    const folder = await ClientFolder.make(cleanup);
    return { id, folder, socket: await of.listen(folder.path('tpm'), cleanup) };
  }

  async function known(id: string, of: SoftwareTpm): Promise<void> {
    // step takes the RSA one of several endorsement keys.
    const ekSha256 = await of.endorsementDigest('rsa');
    await authority.admin.device(id, { deviceClass: 'attested-laptop', identifiers: { ekSha256 } });
  }

  /** `key`: its name in the TPM, which is made anew each time. */
  async function step(
    { id, folder, socket }: Machine,
    key: string,
    asked: string = id,
  ): Promise<ProcessResult> {
    const base = new URL(authority.est).origin;
    const environment = { STEPPATH: folder.path('step'), HOME: folder.directory };
    const words = [
      '--acme',
      `${base}/acme/hardware/directory`,
      '--root',
      authority.trust,
      '--attestation-uri',
      `tpmkms:name=${key};device=${socket}`,
      '--attestation-ca-url',
      `${base}/attestation/attestation-key`,
      '--attestation-ca-root',
      authority.trust,
      '--tpm-storage-directory',
      folder.path('keys'),
      '--force',
    ];
    const certificate = folder.path(`${key}.crt`);
    const keyFile = folder.path(`${key}.key`);
    return folder.runWith(
      { environment },
      'step',
      'ca',
      'certificate',
      asked,
      certificate,
      keyFile,
      ...words,
    );
  }

  async function leafOf({ folder }: Machine, key: string) {
    return parseCertificate(pemToDer(await folder.read(`${key}.crt`), 'CERTIFICATE')[0]!);
  }

  const wordsOf = ({ stdout, stderr }: ProcessResult) => `${stdout.toString()}\n${stderr}`;

  test('gets its attestation key certified, enrolls, and renews with another key', async () => {
    await known('stella', tpm);
    const own = await machine('stella', tpm);
    const keys = new Set<string>();
    for (const [key, action] of [
      ['first', 'enroll'],
      ['second', 'renew'],
    ] as const) {
      const result = await step(own, key);
      assert.equal(result.code, 0, wordsOf(result));
      const leaf = await leafOf(own, key);
      assert.deepEqual(
        leaf.subject.flat().map(({ value }) => value),
        ['stella'],
      );
      keys.add(Buffer.from(leaf.spki).toString('hex'));
      const entries = (await requestEntriesOf(authority)).filter(({ outcome }) => outcome === 'issued');
      const { observations, ...last } = entries.at(-1)!;
      assert.deepEqual([observations.source.protocol, last.action], ['acme', action]);
      assert.equal(observations.order!.key, null);
      assert.equal(observations.evidence!.examination!.format, 'tpm');
    }
    assert.equal(keys.size, 2);
    // The attestation key and its certificate were kept from the first time.
    const issued = (await requestEntriesOf(authority)).filter(({ outcome }) => outcome === 'issued');
    assert.deepEqual(
      issued.map(({ observations }) => observations.source.protocol),
      ['attestation', 'acme', 'acme'],
    );
  });

  test('as another device: what its TPM is of counts, and not what is asked for', async () => {
    const other = await manufacturer.make(cleanup);
    await known('sonja', other);
    const result = await step(await machine('sonja', other), 'key', 'stella');
    assert.notEqual(result.code, 0);
    assert.match(wordsOf(result), /the evidence is not accepted here/);
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    assert.match(JSON.stringify(events.at(-1)), /not of permanent-identifier stella/);
  });

  test('with a TPM that is in no inventory', async () => {
    const stranger = await manufacturer.make(cleanup);
    const result = await step(await machine('sabine', stranger), 'key');
    assert.notEqual(result.code, 0);
    assert.match(wordsOf(result), /403 Forbidden/);
    const { detail } = (await requestEntriesOf(authority)).findLast(({ outcome }) => outcome === 'rejected')!;
    assert.match(String(detail?.['problem']), /no device of the inventory has the ekSha256/);
  });

  test('of a device that was suspended', async () => {
    await authority.admin.client.perform('suspendDevice', { id: 'stella' });
    const result = await step(await machine('stella', tpm), 'third');
    assert.notEqual(result.code, 0);
    await authority.admin.client.perform('resumeDevice', { id: 'stella' });
  });

  test('the log verifies', async () => {
    await authority.stop();
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
