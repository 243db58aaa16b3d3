import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { type Evidence, type Examination, examine, examineActivation, makeCredential } from '#evidence';
import { findCertificationPath, parseCertificate } from '#x509';
import { findClient } from '../clients.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { TestCa } from '../harness/pki.ts';
import {
  attestable,
  type KeyKind,
  type SoftwareTpm,
  tpmClients,
  type TpmKey,
} from '../harness/software-tpm.ts';
import { TpmManufacturer } from '../harness/tpm-manufacturer.ts';
import {
  type Attesting,
  attestationBundle,
  attestationObject,
  certifyAttestationKey,
} from '../harness/tpm-evidence.ts';

const missing = tpmClients.map((client) => findClient(client)).find((found) => 'skip' in found);
const skip = missing !== undefined && 'skip' in missing ? missing.skip : false;

const keyAuthorization = Buffer.from(
  'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA',
);
/** The longest that EST gives: a TPM that knows SHA-512 has room for it. */
const nonce = randomBytes(64);

const envelopes = [
  { envelope: 'attestation-object', make: attestationObject, toBeSigned: keyAuthorization },
  { envelope: 'attestation-bundle', make: attestationBundle, toBeSigned: nonce },
] as const;
const given = { toBeSigned: keyAuthorization, token: keyAuthorization.subarray(0, 43) };

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a software TPM', { skip, timeout: 180_000 }, () => {
  const cleanup = suiteCleanup();
  const ca = TestCa.root('Attestation CA');
  let manufacturer: TpmManufacturer;
  let tpm: SoftwareTpm;
  let other: SoftwareTpm;
  let key: TpmKey;
  const attesting = {} as Record<KeyKind, Attesting>;

  before(async () => {
    manufacturer = await TpmManufacturer.begin(cleanup);
    [tpm, other] = [await manufacturer.make(cleanup), await manufacturer.make(cleanup)];
    key = await tpm.createKey();
    for (const kind of ['rsa', 'ecc'] as const) attesting[kind] = await attestingWith(tpm, kind);
  });

  async function attestingWith(tpm: SoftwareTpm, kind: KeyKind): Promise<Attesting> {
    const attestationKey = await tpm.createAttestationKey(kind);
    const certificate = certifyAttestationKey(ca, attestationKey, 'device-1');
    return { tpm, attestationKey, certificates: [certificate, ca.certificate] };
  }

  const faultOf = ({ fault, statement }: Examination) => {
    assert.equal(statement, null);
    return fault?.check;
  };

  for (const kind of ['rsa', 'ecc'] as const) {
    for (const { envelope, make, toBeSigned } of envelopes) {
      test(`certifies a key by an ${kind.toUpperCase()} attestation key, in an ${envelope}`, async () => {
        const evidence: Evidence = { envelope, bytes: await make(attesting[kind], key, toBeSigned) };
        const { fault, format, certificates, statement } = examine(evidence, { ...given, toBeSigned });
        assert.equal(fault, null);
        assert.equal(format, 'tpm');
        assert.deepEqual(
          certificates,
          attesting[kind].certificates.map((each) => Buffer.from(each).toString('base64')),
        );
        const { claims, ...said } = statement!;
        assert.deepEqual(said, {
          spki: sha256(key.spki),
          fresh: true,
          identities: {
            attestationKey: sha256(attesting[kind].attestationKey.spki),
            permanentIdentifier: { value: 'device-1', assigner: null },
          },
        });
        assert.ok(claims.format === 'tpm');
        assert.deepEqual(claims.device, {
          manufacturer: '00001014',
          registered: false,
          model: 'swtpm',
          version: '20191023',
        });
        assert.equal(claims.signature, 'tpmt');
        // The attestation key is of the endorsement hierarchy, so that this is not disguised.
        assert.match(claims.firmwareVersion, /^20191023/);
        assert.equal(examine(evidence, { ...given, toBeSigned: randomBytes(32) }).statement?.fresh, false);
      });
    }
  }

  test('an RSA key', async () => {
    const rsa = await tpm.createKey({ algorithm: 'rsa2048' });
    const bytes = await attestationObject(attesting.ecc, rsa, keyAuthorization);
    assert.equal(examine({ envelope: 'attestation-object', bytes }, given).statement?.spki, sha256(rsa.spki));
  });

  for (const [what, check, settings] of [
    ['may leave the TPM', 'tpm-fixed-tpm', { attributes: 'sensitivedataorigin|userwithauth|sign' }],
    [
      'signs what the TPM made only',
      'tpm-restricted',
      { algorithm: 'ecc256:ecdsa-sha256:null', attributes: `${attestable}|restricted` },
    ],
    [
      'signs nothing',
      'tpm-sign',
      { algorithm: 'rsa2048', attributes: attestable.replace('sign', 'decrypt') },
    ],
  ] as const) {
    test(`a key that ${what} is refused: ${check}`, async () => {
      const bytes = await attestationObject(attesting.ecc, await tpm.createKey(settings), keyAuthorization);
      assert.equal(faultOf(examine({ envelope: 'attestation-object', bytes }, given)), check);
    });
  }

  test("another TPM's attestation with this one's certificate is refused", async () => {
    const others = await attestingWith(other, 'ecc');
    const stolen = { ...others, certificates: attesting.ecc.certificates };
    const elsewhere = await other.createKey();
    for (const { envelope, make, toBeSigned } of envelopes) {
      const bytes = await make(stolen, elsewhere, toBeSigned);
      assert.equal(faultOf(examine({ envelope, bytes }, given)), 'tpm-signature');
    }
  });

  test("another key's public area is refused", async () => {
    const forged = { ...key, publicArea: (await other.createKey()).publicArea };
    const bytes = await attestationObject(attesting.ecc, forged, keyAuthorization);
    assert.equal(faultOf(examine({ envelope: 'attestation-object', bytes }, given)), 'tpm-name');
  });

  for (const kind of ['rsa', 'ecc'] as const) {
    test(`activates a credential for its ${kind.toUpperCase()} endorsement key and its attestation key alone`, async () => {
      const { attestationKey } = attesting[kind];
      const { fault, keys } = examineActivation({
        endorsementCertificate: await tpm.endorsementCertificate(kind),
        endorsementKey: (await tpm.endorsementKey(kind)).publicArea,
        attestationKey: attestationKey.publicArea,
        creation: null,
      });
      assert.equal(fault, null);
      assert.deepEqual(keys.attestationKey.name, attestationKey.name);
      const { issuer, root } = await manufacturer.certificates();
      const path = findCertificationPath(
        keys.endorsementKey.certificate,
        [parseCertificate(issuer)],
        [parseCertificate(root)],
      );
      assert.equal(path?.length, 3);

      const secret = randomBytes(32);
      const credential = makeCredential(keys.endorsementKey, keys.attestationKey, secret, randomBytes);
      assert.deepEqual(Buffer.from(await tpm.activate(kind, attestationKey, credential)), secret);
      const wrong = attesting[kind === 'rsa' ? 'ecc' : 'rsa'].attestationKey;
      await assert.rejects(tpm.activate(kind, wrong, credential), /integrity/i);
      const elsewhere = await other.createAttestationKey(kind);
      await assert.rejects(other.activate(kind, elsewhere, credential), /ActivateCredential/);
    });
  }

  test('the endorsement key of another TPM is not the one that is certified', async () => {
    const { fault } = examineActivation({
      endorsementCertificate: await tpm.endorsementCertificate('ecc'),
      endorsementKey: (await other.endorsementKey('ecc')).publicArea,
      attestationKey: attesting.ecc.attestationKey.publicArea,
      creation: null,
    });
    assert.equal(fault?.check, 'ek-key');
  });

  test('a key for signatures is no attestation key', async () => {
    const { fault } = examineActivation({
      endorsementCertificate: await tpm.endorsementCertificate('ecc'),
      endorsementKey: (await tpm.endorsementKey('ecc')).publicArea,
      attestationKey: key.publicArea,
      creation: null,
    });
    assert.equal(fault?.check, 'ak-restricted');
  });
});
