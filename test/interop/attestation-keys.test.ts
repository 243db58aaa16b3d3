import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
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
import { findClient } from '../clients.ts';
import { ActivationClient, activatingSettings, makersFile } from '../harness/activating-authority.ts';
import { anyPorts, initAuthority, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { base64, est } from '../harness/est-client.ts';
import { entryOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { type KeyKind, type SoftwareTpm, tpmClients } from '../harness/software-tpm.ts';
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

  before(async () => {
    const manufacturer = await TpmManufacturer.begin(cleanup);
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
