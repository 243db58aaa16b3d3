import assert from 'node:assert/strict';
import { createHash, verify, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { decode } from 'cborg';
import { findCertificationPath, parseBase64Certificate, parseCertificate, pemToDer } from '#x509';
import type { Examination } from '../examination.ts';
import { examine } from '../examine.ts';
import { parseAttest } from './attest.ts';
import type { TpmClaims } from './claims.ts';

/** Statements of Windows and of FIDO's conformance tests, and the CAs of TPM vendors: not part of the checkout. */
const data = join(import.meta.dirname, '../../../../shared/data/tpm');

function missing(name: string): string | false {
  return existsSync(join(data, name)) ? false : `${name} is not at ../shared/data/tpm`;
}

interface Vector {
  readonly attestationObject: string;
  readonly clientDataJSON: string;
}

type Statement = Readonly<Record<'certInfo' | 'pubArea' | 'sig', Uint8Array>> & {
  readonly x5c: readonly Uint8Array[];
};

interface Read {
  readonly examination: Examination;
  readonly claims: TpmClaims | null;
}

/** WebAuthn signs authData and the digest of clientDataJSON in place of a key authorization. */
function partsOf(name: string) {
  const vector = JSON.parse(readFileSync(join(data, name), 'utf8')) as Vector;
  const bytes = Buffer.from(vector.attestationObject, 'base64url');
  const { authData, attStmt } = decode(bytes) as { authData: Uint8Array; attStmt: Statement };
  const clientDataHash = createHash('sha256')
    .update(Buffer.from(vector.clientDataJSON, 'base64url'))
    .digest();
  return { bytes, attStmt, signed: Buffer.concat([authData, clientDataHash]) };
}

function read(name: string, changed: Buffer = Buffer.alloc(0)): Read {
  const { bytes, signed } = partsOf(name);
  const toBeSigned = Buffer.concat([signed, changed]);
  const examination = examine({ envelope: 'attestation-object', bytes }, { toBeSigned, token: toBeSigned });
  const claims = examination.statement?.claims;
  return { examination, claims: claims?.format === 'tpm' ? claims : null };
}

const windows = {
  hash: 'sha1',
  signature: 'raw',
  attributes: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth', 'noDA', 'decrypt', 'sign'],
} as const;

const vectors = {
  'webauthn-1.json': { hash: 'sha256', device: ['FFFFF1D0', false, 'NPCT6xx', '13'], anchored: false },
  'webauthn-4.json': { device: ['53544D20', true, 'ST33HTPxAHA6', '00470004'], anchored: true },
  'webauthn-5.json': { device: ['4E544300', true, 'NPCT75x', '72'], anchored: true },
  'webauthn-6.json': {
    attributes: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth', 'sign'],
    device: ['4E544300', true, 'NPCT75x', '00070002'],
    anchored: true,
  },
} as const;

suite('statements that were made elsewhere', () => {
  for (const [name, expected] of Object.entries(vectors)) {
    test(name, { skip: missing(name) }, () => {
      const { examination, claims } = read(name);
      assert.equal(examination.fault, null);
      assert.equal(examination.statement?.fresh, true);
      const { device, anchored, ...others } = expected;
      const [manufacturer, registered, model, version] = device;
      assert.deepEqual({ ...claims, ...windows, ...others }, claims);
      assert.deepEqual(claims?.device, { manufacturer, registered, model, version });
      // The certificates of Windows name no device.
      const { attestationKey, ...names } = examination.statement.identities;
      const { spki } = parseBase64Certificate(examination.certificates[0]!);
      assert.deepEqual([attestationKey, names], [createHash('sha256').update(spki).digest('hex'), {}]);
      assert.equal(hasPath(examination), anchored);
      assert.equal(read(name, Buffer.from('.')).examination.statement?.fresh, false);
    });
  }

  test('webauthn-2.json has certificates that are no DER', { skip: missing('webauthn-2.json') }, () => {
    const { fault, certificates } = read('webauthn-2.json').examination;
    assert.equal(fault?.check, 'malformed');
    assert.equal(certificates.length, 2);
    // What it says holds, for a reader that takes such certificates.
    const { attStmt, signed } = partsOf('webauthn-2.json');
    const { publicKey } = new X509Certificate(attStmt.x5c[0]!);
    assert.ok(verify('sha1', attStmt.certInfo, publicKey, attStmt.sig));
    const { extraData, name } = parseAttest(new Uint8Array(attStmt.certInfo), 'certify');
    assert.deepEqual(Buffer.from(extraData), createHash('sha1').update(signed).digest());
    assert.deepEqual(Buffer.from(name).subarray(2), createHash('sha256').update(attStmt.pubArea).digest());
  });
});

/** swtpm's, with tpm2-tools: what test/interop/evidence-tpm.test.ts makes anew where they are installed. */
const recorded = join(import.meta.dirname, '../../../test/fixtures/evidence');

suite('statements of a TPM in software, recorded', () => {
  const toBeSigned = Buffer.from('token.thumbprint');
  const said = (['tpm-rsa.cbor', 'tpm-ecc.cbor', 'tpm-rsa.der', 'tpm-ecc.der'] as const).map((name) => {
    const bytes = readFileSync(join(recorded, name));
    const envelope = name.endsWith('.cbor') ? 'attestation-object' : 'attestation-bundle';
    return [name, examine({ envelope, bytes }, { toBeSigned, token: toBeSigned })] as const;
  });

  for (const [name, { fault, format, statement }] of said) {
    test(name, () => {
      assert.equal(fault, null);
      assert.equal(format, 'tpm');
      assert.equal(statement?.fresh, true);
      assert.equal(statement.identities.permanentIdentifier?.value, 'device-1');
      assert.equal(statement.spki, said[0]![1].statement?.spki);
    });
  }
});

function hasPath({ certificates }: Examination): boolean {
  const [leaf, ...others] = certificates.map((each) => parseCertificate(Uint8Array.fromBase64(each)));
  const roots = pemToDer(readFileSync(join(data, 'vendor-roots.pem'), 'utf8'), 'CERTIFICATE');
  return (
    findCertificationPath(
      leaf!,
      others,
      roots.map((each) => parseCertificate(each)),
    ) !== null
  );
}
