import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import {
  assembleSigned,
  buildName,
  derToPem,
  encodeCertificationRequestInfo,
  oids,
  parseCertificate,
  permanentIdentifierOf,
} from '#x509';
import { findClient, requireClient } from '../clients.ts';
import { ActivationClient, activatingSettings, makersFile } from '../harness/activating-authority.ts';
import {
  anyPorts,
  command,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder, type ProcessResult } from '../harness/client-files.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { entryOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { type KeyKind, type SoftwareTpm, tpmClients } from '../harness/software-tpm.ts';
import { resourceManager } from '../harness/tpm-resource-manager.ts';
import { TpmManufacturer } from '../harness/tpm-manufacturer.ts';
import { attestationBundle } from '../harness/tpm-evidence.ts';

const missing = tpmClients.map((client) => findClient(client)).find((found) => 'skip' in found);
const skip = missing !== undefined && 'skip' in missing ? missing.skip : false;

/** A TPM in software, and the authority as it is shipped: from the endorsement key to a certificate of a key that the TPM keeps. */
describe('a TPM and the attestation CA', { skip, timeout: 240_000 }, () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  let client: ActivationClient;
  let tpm: SoftwareTpm;
  let manufacturer: TpmManufacturer;

  before(async () => {
    manufacturer = await TpmManufacturer.begin(cleanup);
    tpm = await manufacturer.make(cleanup);
    const { issuer, root } = await manufacturer.certificates();
    const makers = await makersFile(cleanup, derToPem(root, 'CERTIFICATE'));
    const intermediates = await makersFile(cleanup, derToPem(issuer, 'CERTIFICATE'));
    const files = await initAuthority(cleanup, (yaml) => {
      const settings = activatingSettings(anyPorts(yaml), makers, 'software');
      const roots = settings['attestation']!['roots']! as Record<string, Record<string, unknown>>;
      roots['makers']!['intermediates'] = [intermediates];
      roots['ours'] = { format: 'tpm', certificates: ['pki/issuing.pem'], level: 'software' };
      const taken = { levels: ['software'], unregisteredManufacturers: true };
      settings['deviceClasses']!['virtual'] = {
        attestation: 'required',
        evidence: { endorsement: { roots: ['makers'], ...taken }, tpm: { roots: ['ours'], ...taken } },
      };
      return stringify(settings, { aliasDuplicateObjects: false });
    });
    authority = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => authority.stop());
    client = new ActivationClient(authority);
  });

  const encoded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  /** What step's client sends: of the endorsement key its SubjectPublicKeyInfo and its certificate, and no public area. */
  const messageOf = async (kind: KeyKind) => {
    const attestationKey = await tpm.createCertifiedKey(kind);
    const { spki } = await tpm.endorsementKey(kind);
    const { data, attest, signature } = attestationKey.creation;
    const message = {
      ek: encoded(spki),
      ekCerts: [encoded(await tpm.endorsementCertificate(kind))],
      params: {
        public: encoded(attestationKey.publicArea),
        createData: encoded(data),
        createAttestation: encoded(attest),
        createSignature: encoded(signature),
      },
    };
    return { attestationKey, message, ekSha256: createHash('sha256').update(spki).digest('hex') };
  };

  /** RSA-2048 with SHA-256 and AES-128, and P-384 with SHA-384 and AES-256. */
  for (const kind of ['rsa', 'ecc'] as const) {
    test(`the ${kind.toUpperCase()} endorsement key gets a certificate for an attestation key, and that one a certificate for a key`, async () => {
      const { attestationKey, message, ekSha256 } = await messageOf(kind);
      const stranger = await client.post('attest', message);
      assert.equal(stranger.status, 403, stranger.text);
      assert.match(
        String((await entryOf(authority, stranger)).detail?.['problem']),
        new RegExp(`no device of the inventory has the ekSha256 ${ekSha256}`),
      );
      const id = `virtual-${kind}`;
      await authority.admin.device(id, { deviceClass: 'virtual', identifiers: { ekSha256 } });
      const challenge = await client.post('attest', message);
      assert.equal(challenge.status, 200, challenge.text);
      const { credential, secret } = JSON.parse(challenge.text) as Record<string, string>;
      const value = await tpm.activate(kind, attestationKey, {
        credentialBlob: Buffer.from(credential!, 'base64'),
        secret: Buffer.from(secret!, 'base64'),
      });
      const answer = await client.secret(value);
      assert.equal(answer.status, 200, answer.text);
      const certificates = (JSON.parse(answer.text) as { chain: string[] }).chain.map(
        (each) => new Uint8Array(Buffer.from(each, 'base64')),
      );
      const certificate = parseCertificate(certificates[0]!);
      assert.deepEqual(Buffer.from(certificate.spki), Buffer.from(attestationKey.spki));
      assert.equal(permanentIdentifierOf(certificate.subjectAltName)?.value, id);

      const user = [id, await authority.admin.secret(id)] as const;
      const url = `${authority.est}/device`;
      const trust = authority.trustPem;
      const given = await est({ url: `${url}/nonce`, trust, user });
      const nonce = Buffer.from((JSON.parse(given.text) as { nonce: string }).nonce, 'base64url');
      const key = await tpm.createKey();
      const attesting = { tpm, attestationKey, certificates };
      const bundle = await attestationBundle(attesting, key, nonce);
      const info = encodeCertificationRequestInfo({
        subject: buildName([{ type: 'commonName', value: id }]),
        spki: key.spki,
        extensions: [],
        attributes: [{ oid: oids.attestation, values: [bundle] }],
      });
      const csr = assembleSigned(info, 'ec-p256', await tpm.sign(key, info));
      const enrolled = await est({ url: `${url}/simpleenroll`, trust, user, body: base64(csr) });
      assert.equal(enrolled.status, 200, enrolled.text);
      assert.deepEqual(Buffer.from(parseCertificate(enrolled.certificates[0]!).spki), Buffer.from(key.spki));
    });
  }

  /** With what a device has, and nothing else: the program, tpm2-tools, and a secret. */
  describe('by sallyport attest', () => {
    const attest = (
      folder: ClientFolder,
      of: SoftwareTpm,
      input: string,
      ...words: readonly string[]
    ): Promise<ProcessResult> =>
      folder.runWith(
        { environment: of.environment, input: Buffer.from(input) },
        command,
        'attest',
        '--trust',
        authority.trust,
        '--attestation-ca',
        `${new URL(authority.est).origin}/attestation/attestation-key`,
        '--est',
        `${authority.est}/device`,
        ...words,
      );
    const issued = async () =>
      (await requestEntriesOf(authority))
        .filter(({ outcome }) => outcome === 'issued')
        .map(({ action, observations: { source } }) => `${source.protocol} ${action}`);
    let own: SoftwareTpm;
    let folder: ClientFolder;

    test('a machine enrolls once its TPM is in the inventory', async () => {
      own = await manufacturer.make(cleanup);
      folder = await ClientFolder.make(cleanup);
      const words = ['--subject', 'gerda', '--secret', '-', '--out', 'own'];
      const stranger = await attest(folder, own, 'secret', ...words);
      assert.equal(stranger.code, 1, stranger.stderr);
      const [, ekSha256 = ''] = /by the ekSha256 ([0-9a-f]{64})/.exec(stranger.stderr) ?? [];
      assert.equal(ekSha256, await own.endorsementDigest('rsa'));
      await authority.admin.device('gerda', { deviceClass: 'virtual', identifiers: { ekSha256 } });
      const before = await issued();
      const { code, stdout, stderr } = await attest(
        folder,
        own,
        await authority.admin.secret('gerda'),
        ...words,
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout.toString(), /^Wrote own: certificate\.pem of CN=gerda/);
      assert.deepEqual((await issued()).slice(before.length), ['attestation enroll', 'est enroll']);
      assert.deepEqual(await own.persistent(), []);
    });

    test('and renews with the same attestation key, whose certificate still counts', async (t) => {
      if (requireClient(t, 'tpm2-openssl') === null) return;
      const environment = await resourceManager(t, own);
      if (environment === null) return;
      const before = await issued();
      const managed = { environment } as unknown as SoftwareTpm;
      const { code, stderr } = await attest(folder, managed, '', '--renew', 'own', '--out', 'next');
      assert.equal(code, 0, stderr);
      assert.deepEqual((await issued()).slice(before.length), ['est renew']);
      assert.equal(await folder.read('own/attestation.json'), await folder.read('next/attestation.json'));
    });

    test('has its attestation key certified again where that has ended or is not there', async () => {
      const kept = JSON.parse(await folder.read('own/attestation.json')) as { certificates: string[] };
      await mkdir(folder.path('again'));
      const lost = JSON.stringify({ ...kept, certificates: [] });
      await writeFile(folder.path('again/attestation.json'), lost);
      const before = await issued();
      const secret = await authority.admin.secret('gerda');
      const words = ['--subject', 'gerda', '--secret', '-', '--out', 'again', '--wait', '1s'];
      const { code, stderr } = await attest(folder, own, secret, ...words);
      // It has a certificate already, and the attestation key is the one that it had.
      assert.equal(code, 4, stderr);
      assert.match(stderr, /waits for approval/);
      assert.deepEqual((await issued()).slice(before.length), ['attestation enroll']);
      const again = JSON.parse(await folder.read('again/attestation.json')) as { certificates: string[] };
      assert.equal(again.certificates.length, kept.certificates.length);
    });

    test('has its attestation key certified again where the certificate was taken back', async () => {
      const tpm = await manufacturer.make(cleanup);
      const ekSha256 = await tpm.endorsementDigest('rsa');
      await authority.admin.device('gina', { deviceClass: 'virtual', identifiers: { ekSha256 } });
      const secret = await authority.admin.secret('gina');
      const words = ['--subject', 'gina', '--secret', '-', '--out', 'gina'];
      const prepared = await attest(folder, tpm, secret, ...words, '--dry-run');
      assert.equal(prepared.code, 0, prepared.stderr);
      const { items } = await authority.admin.client.perform('listCertificates', { device: 'gina' });
      await authority.admin.client.perform('revokeCertificate', { id: items[0]!.sha256, remark: null });
      const refused = await attest(folder, tpm, secret, ...words);
      assert.equal(refused.code, 1, refused.stderr);
      assert.match(refused.stderr, /The evidence of this key is not accepted here/);
      const { code, stderr } = await attest(folder, tpm, secret, ...words);
      assert.equal(code, 0, stderr);
    });

    test('waits where another attestation key would get a certificate beside the current one', async () => {
      const another = await manufacturer.make(cleanup);
      const ekSha256 = await another.endorsementDigest('rsa');
      await authority.admin.device('greta', { deviceClass: 'virtual', identifiers: { ekSha256 } });
      const secret = await authority.admin.secret('greta');
      const words = ['--subject', 'greta', '--secret', '-', '--out'];
      const first = await attest(folder, another, secret, ...words, 'one');
      assert.equal(first.code, 0, first.stderr);
      const { code, stderr } = await attest(folder, another, secret, ...words, 'another');
      assert.equal(code, 4, stderr);
      assert.match(stderr, /the attestation CA has it wait: The request waits for approval/);
    });

    test('says where it looked for a certificate of the endorsement key, and what there is besides', async () => {
      const other = await manufacturer.make(cleanup);
      const tool = async (...words: readonly string[]) => {
        const { code, stderr } = await folder.runWith({ environment: other.environment }, 'tpm2', ...words);
        assert.equal(code, 0, stderr);
      };
      const refused = async (words: RegExp) => {
        const ended = await attest(folder, other, 'x', '--subject', 'x', '--secret', '-', '--out', 'bare');
        assert.equal(ended.code, 2, ended.stderr);
        assert.match(ended.stderr, words);
      };
      await tool('nvundefine', '-C', 'p', '0x01c00002');
      await refused(
        /no certificate of an endorsement key where those of the templates of RSA-2048 \(0x01c00002\) and P-256 \(0x01c0000a\) are; it has a certificate of P-384 \(0x01c00016\), which is not used here; get one/,
      );
      const attributes = 'ownerread|ownerwrite|authread';
      await tool('nvdefine', '-C', 'o', '-s', '8', '-a', attributes, '0x01c00004');
      // Of a template of the maker's own.
      const certificate = await own.endorsementCertificate('rsa');
      await writeFile(folder.path('other-key.crt'), certificate);
      await tool('nvdefine', '-C', 'o', '-s', String(certificate.length), '-a', attributes, '0x01c00002');
      await tool('nvwrite', '-C', 'o', '-i', 'other-key.crt', '0x01c00002');
      await refused(
        /; the one at 0x01c00002 is of another key than its template makes; it has the maker's own template of RSA-2048 \(0x01c00004\), a cert/,
      );
    });

    test('says what to do where it cannot go on', async () => {
      const file = folder.path('other.pem');
      await writeFile(file, derToPem((await manufacturer.certificates()).root, 'CERTIFICATE'));
      const at = (...words: readonly string[]) =>
        attest(folder, own, 'x', '--subject', 'gerda', '--secret', '-', '--out', 'none', ...words);
      for (const [words, code, said] of [
        [['--endorsement-certificate', file], 2, /is of no endorsement key of this TPM/],
        [['--attestation-key', '0x81010100'], 2, /cannot be used with/],
        [['--attestation-ca', 'http://127.0.0.1:1/x'], 2, /asked over https alone/],
        [['--attestation-ca', 'https://127.0.0.1:1/x'], 4, /does not answer/],
        [['--attestation-ca', `${authority.est}/device`], 1, /refused it \(40/],
      ] as const) {
        const ended = await at(...words);
        assert.equal(ended.code, code, ended.stderr);
        assert.match(ended.stderr, said);
      }
    });
  });

  test('a class that does not take software TPMs', async () => {
    const { message, ekSha256 } = await messageOf('ecc');
    await authority.admin.device('virtual-ecc', {
      deviceClass: 'attested-laptop',
      identifiers: { ekSha256 },
    });
    const answer = await client.post('attest', message);
    assert.equal(answer.status, 403, answer.text);
    const problem = String((await entryOf(authority, answer)).detail?.['problem']);
    assert.match(problem, /assurance-level: .*tpm-unregistered: /);
  });

  test('the log verifies', async () => {
    await authority.stop();
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
