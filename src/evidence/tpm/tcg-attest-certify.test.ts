import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { type Der, der, extendedKeyUsages } from '#x509';
import { statementTypes } from '../attestation-bundle.ts';
import type { Examination } from '../examination.ts';
import { examine } from '../examine.ts';
import {
  certify,
  defaultKeys,
  eccKey,
  encodeBundle,
  encodeTcgStatement,
  hardwareModule,
  makeBundle,
  makeObject,
  makeParts,
  nonce,
  root,
  rsaKey,
  tpmName,
} from './statement.fixture.ts';

const given = { toBeSigned: nonce, token: nonce };
const { tpmCertify, attestationObject } = statementTypes;

function examined(bytes: Uint8Array, toBeSigned: Uint8Array | null = nonce): Examination {
  return examine(
    { envelope: 'attestation-bundle', bytes },
    toBeSigned === null ? null : { ...given, toBeSigned },
  );
}

const base64 = (certificates: readonly Der[]) => certificates.map((each) => each.toBase64());

suite('tcg-attest-tpm-certify in an AttestationBundle', () => {
  const parts = makeParts();
  const statement = encodeTcgStatement(parts);

  test('says what the same certification says elsewhere', () => {
    const { format, fault, certificates, statement: said } = examined(makeBundle());
    assert.equal(fault, null);
    assert.equal(format, 'tpm');
    assert.deepEqual(certificates, base64(makeParts().x5c).with(0, certificates[0]!));
    const elsewhere = examine({ envelope: 'attestation-object', bytes: makeObject() }, given).statement;
    assert.deepEqual(said, {
      ...elsewhere,
      claims: { ...elsewhere?.claims, statement: 'tcg-attest-tpm-certify' },
    });
  });

  test('a hint of older drafts is passed over and noted', () => {
    const bytes = encodeBundle([[tpmCertify, statement, der.ia5String('v')]], parts.x5c);
    const claims = examined(bytes).statement?.claims;
    assert.equal(claims?.format === 'tpm' && claims.statement, 'tcg-attest-tpm-certify-with-hint');
  });

  for (const [what, recipe] of [
    ['of RSA', { attestationKey: rsaKey() }],
    ['of ECDSA', {}],
  ] as const) {
    test(`a signature ${what} that says nothing of its algorithm`, () => {
      const claims = examined(makeBundle({ ...recipe, form: 'raw' })).statement?.claims;
      assert.equal(claims?.format === 'tpm' && claims.signature, 'raw');
    });
  }

  test('one that has another hash than SHA-256 then is refused', () => {
    const bytes = makeBundle({ form: 'raw', hash: 'sha384' });
    assert.equal(examined(bytes).fault?.check, 'tpm-signature');
    assert.equal(examined(makeBundle({ hash: 'sha384' })).fault, null);
  });

  test('the certificates come in any order, the one whose key signed first in the result', () => {
    const another = certify({ spki: rsaKey().spki });
    const idevid = certify({ spki: eccKey().spki, usages: [], names: [hardwareModule('SN')] });
    const [leaf] = parts.x5c;
    for (const sent of [
      [root, leaf!, another, idevid],
      [idevid, another, root, leaf!],
    ]) {
      const { fault, certificates } = examined(encodeBundle([[tpmCertify, statement]], sent));
      assert.equal(fault, null);
      assert.deepEqual(certificates, base64([leaf!, ...sent.filter((each) => each !== leaf)]));
    }
  });

  for (const [what, settings] of [
    ["is a CA's", { ca: true }],
    ['is for something else', { usages: [extendedKeyUsages.clientAuth] }],
  ] as const) {
    test(`another certificate of the same key, that ${what}, is passed over`, () => {
      const other = certify({ spki: defaultKeys.attestation.spki, ...settings });
      assert.equal(examined(encodeBundle([[tpmCertify, statement]], [other, ...parts.x5c])).fault, null);
    });
  }

  test('a signature that the key of one of them cannot have made is that of another', () => {
    const raw = makeParts({ form: 'raw' });
    const sent = [certify({ spki: rsaKey().spki }), ...raw.x5c];
    assert.equal(examined(encodeBundle([[tpmCertify, encodeTcgStatement(raw)]], sent)).fault, null);
  });

  test('statements of other types are passed over', () => {
    const others = [['1.2.3', der.null()] as const, [tpmCertify, statement] as const];
    assert.equal(examined(encodeBundle(others, parts.x5c)).fault, null);
  });

  test('an attestation object in a statement of our own', () => {
    const bytes = encodeBundle([[attestationObject, der.octetString(makeObject())]]);
    const { fault, format, certificates, statement } = examined(bytes);
    assert.equal(fault, null);
    assert.equal(format, 'tpm');
    assert.equal(certificates.length, 2);
    assert.equal(statement?.fresh, true);
  });

  for (const [what, check, bytes] of [
    ['no statement that we read', 'format', encodeBundle([['1.2.3', statement]], parts.x5c)],
    [
      'two that we read',
      'bundle-statements',
      encodeBundle(
        [
          [tpmCertify, statement],
          [tpmCertify, statement],
        ],
        parts.x5c,
      ),
    ],
    ['no certificate', 'tpm-signature', encodeBundle([[tpmCertify, statement]])],
    [
      'the certificate of no attestation key',
      'tpm-signature',
      encodeBundle([[tpmCertify, statement]], [root]),
    ],
    [
      "another attestation key's",
      'tpm-signature',
      encodeBundle([[tpmCertify, statement]], [certify({ spki: eccKey().spki })]),
    ],
    [
      'no public area',
      'malformed',
      encodeBundle(
        [[tpmCertify, der.sequence(der.octetString(parts.attest), der.octetString(parts.signature))]],
        parts.x5c,
      ),
    ],
    [
      'a field too many',
      'malformed',
      encodeBundle(
        [[tpmCertify, der.sequence(...[1, 2, 3, 4].map((n) => der.octetString(Uint8Array.of(n))))]],
        parts.x5c,
      ),
    ],
    [
      'an attestation object that is none',
      'malformed',
      encodeBundle([[attestationObject, der.octetString(root)]]),
    ],
    [
      'an attestation object of another type',
      'malformed',
      encodeBundle([[attestationObject, der.utf8String('x')]]),
    ],
    [
      'a certificate without a TPM',
      'tpm-certificate-san',
      encodeBundle([[tpmCertify, statement]], [certify({ spki: defaultKeys.attestation.spki, names: [] })]),
    ],
    [
      'an attestation key of 1024 bits',
      'tpm-certificate-key',
      makeBundle({ attestationKey: rsaKey(1024), certificate: { names: [tpmName()] } }),
    ],
  ] as const) {
    test(`${what}: ${check}`, () => {
      const examination = examined(bytes);
      assert.equal(examination.fault?.check, check);
      assert.equal(examination.statement, null);
    });
  }
});

suite('freshness of a bundle (draft-ietf-lamps-attestation-freshness-09)', () => {
  const fresh = (extraData: Uint8Array, toBeSigned: Uint8Array | null) =>
    examined(makeBundle({ attest: { extraData } }), toBeSigned).statement?.fresh;

  test('the nonce itself, or its digest', () => {
    assert.equal(fresh(nonce, nonce), true);
    assert.equal(fresh(createHash('sha256').update(nonce).digest(), nonce), true);
  });

  test('neither another nonce nor a part of it', () => {
    assert.equal(fresh(Buffer.from('another nonce'), nonce), false);
    assert.equal(fresh(nonce.subarray(1), nonce), false);
    assert.equal(fresh(new Uint8Array(), nonce), false);
  });

  test('no nonce of less than 8 octets, be it empty', () => {
    for (const octets of [0, 7]) {
      const short = new Uint8Array(octets).fill(1);
      assert.equal(fresh(short, short), false);
      assert.equal(fresh(createHash('sha256').update(short).digest(), short), false);
    }
  });

  test('null where none was given', () => assert.equal(fresh(nonce, null), null));
});
