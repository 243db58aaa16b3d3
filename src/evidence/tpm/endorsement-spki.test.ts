import assert from 'node:assert/strict';
import { createHash, randomBytes, sign } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { der, extendedKeyUsages, inspectPublicKey, oids, verifySignature } from '#x509';
import { activate } from './activate.fixture.ts';
import { activationEvidence } from './activation-evidence.ts';
import { examineActivation, makeCredential } from './credential-activation.ts';
import { endorsementSpki } from './endorsement-spki.ts';
import { certify, eccKey, oaepSpki, rsaKey } from './statement.fixture.ts';
import { aes, attestationKey, endorsementKey, ids, scheme } from './structures.fixture.ts';

const [ek, ak] = [rsaKey(), eccKey()];
const sha256 = der.sequence(der.oid(oids.sha256), der.null());
const hash = der.explicit(0, sha256);
const mask = der.explicit(1, der.sequence(der.oid(oids.mgf1), sha256));
const label = der.explicit(
  2,
  der.sequence(der.oid('1.2.840.113549.1.1.9'), der.octetString(Buffer.from('TCPA'))),
);
const written = {
  'without parameters': [],
  'with the default ones': [der.sequence()],
  'with SHA-256': [der.sequence(hash, mask)],
  'with the label of TPM 1.2': [der.sequence(label)],
  'with all of them': [der.sequence(hash, mask, label)],
};
const wrong = {
  'NULL, as under rsaEncryption': [der.null()],
  'two of one': [der.sequence(hash, hash)],
  'another order': [der.sequence(mask, hash)],
  'a fourth one': [der.sequence(hash, der.explicit(3, sha256))],
  'two lists of them': [der.sequence(), der.sequence()],
};

const request = (spki: Uint8Array, area: Uint8Array | null) => ({
  endorsementCertificate: certify({
    spki,
    keyUsage: ['keyEncipherment'],
    usages: [extendedKeyUsages.tcgEndorsementKey],
  }),
  endorsementKey: area,
  attestationKey: ak.publicArea({ attributes: attestationKey, scheme: scheme(ids.ecdsa, ids.sha256) }),
  creation: null,
});
const area = ek.publicArea({ attributes: endorsementKey, symmetric: aes(128) });

suite('an endorsement key under id-RSAES-OAEP (RFC 4055 section 4.1)', () => {
  for (const [how, parameters] of Object.entries(written)) {
    test(`${how} is the same key`, () => {
      const spki = oaepSpki(ek.spki, parameters);
      assert.notDeepEqual(spki, ek.spki);
      assert.deepEqual(endorsementSpki({ spki }), ek.spki);
      for (const publicArea of [null, area]) {
        const { fault, keys } = examineActivation(request(spki, publicArea));
        assert.equal(fault, null);
        const value = new Uint8Array(randomBytes(32));
        const credential = makeCredential(keys.endorsementKey, keys.attestationKey, value, randomBytes);
        assert.deepEqual(activate(ek, area, keys.attestationKey.name, credential), value);
        const { statement } = activationEvidence(keys, { sha256: 'aa', sent: [], fresh: true });
        const digest = createHash('sha256').update(ek.spki).digest('hex');
        assert.deepEqual(statement?.identities, { endorsementKey: digest });
      }
    });
  }

  for (const [how, parameters] of Object.entries(wrong)) {
    test(`parameters that are none are malformed: ${how}`, () => {
      const { fault } = examineActivation(request(oaepSpki(ek.spki, parameters), null));
      assert.equal(fault?.check, 'malformed');
    });
  }

  test('it has to be strong all the same', () => {
    const { fault } = examineActivation(request(oaepSpki(rsaKey(1024).spki, []), null));
    assert.equal(fault?.check, 'ek-strength');
  });

  test('the public area has to be of it', () => {
    const other = rsaKey().publicArea({ attributes: endorsementKey, symmetric: aes(128) });
    assert.equal(examineActivation(request(oaepSpki(ek.spki, []), other)).fault?.check, 'ek-key');
  });

  test('others stand as they are', () => {
    for (const { spki } of [ek, ak]) assert.equal(endorsementSpki({ spki }), spki);
  });

  test('for anything else it is no key that is known', () => {
    const spki = oaepSpki(ek.spki, []);
    assert.equal(inspectPublicKey(spki).algorithm, 'other');
    const algorithm = der.sequence(der.oid(oids.sha256WithRsaEncryption), der.null());
    const signature = sign('sha256', area, ek.privateKey);
    assert.equal(verifySignature(algorithm, ek.spki, area, signature), true);
    assert.equal(verifySignature(algorithm, spki, area, signature), false);
  });

  test('arbitrary octets give a key or a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (parameters) => {
        for (const spki of [parameters, oaepSpki(ek.spki, [parameters])]) {
          try {
            endorsementSpki({ spki });
          } catch (error) {
            if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
          }
        }
      }),
    );
  });
});
