import { isSallyportError } from '#errors';
import { der, oids, readDer } from '#x509';
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { requireClient } from '../../test/clients.ts';
import { asymmetricKeyPackage } from './asymmetric-key-package.ts';
import { certify, recipientKey, root, signerOf } from './certified-keys.fixture.ts';
import { cmsOids } from './cms-oids.ts';
import { encodeContentInfo, parseContentInfo } from './content-info.ts';
import { envelopedData } from './enveloped-data.ts';
import { openEnvelope } from './open-envelope.fixture.ts';
import { opensslDecrypt, opensslVerify } from './command-line-tools.fixture.ts';
import { signedData } from './signed-data.ts';

const pkcs8Of = ({ privateKey }: { privateKey: KeyObject }) =>
  new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }));
const random = (octets: number) => new Uint8Array(randomBytes(octets));

const generated = {
  'ec-p256': pkcs8Of(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  'rsa-2048': pkcs8Of(generateKeyPairSync('rsa', { modulusLength: 2048 })),
  ed25519: pkcs8Of(generateKeyPairSync('ed25519')),
  'ml-dsa-87': pkcs8Of(generateKeyPairSync('ml-dsa-87')),
};

suite('AsymmetricKeyPackage (RFC 5958 section 2)', () => {
  for (const [algorithm, pkcs8] of Object.entries(generated)) {
    test(`${algorithm}: one key, its bytes as they are`, () => {
      const [key, ...more] = [...readDer(asymmetricKeyPackage(pkcs8)).sequence('AsymmetricKeyPackage')];
      assert.deepEqual(key?.der, pkcs8);
      assert.equal(more.length, 0);
    });
  }

  const algorithm = der.sequence(der.oid(oids.ed25519));
  const privateKey = der.octetString(der.octetString(new Uint8Array(32)));
  const attributes = der.implicitConstructed(0);
  const publicKey = der.implicit(1, der.bitString(new Uint8Array(32)));
  const refuses = (code: 'malformed' | 'unsupported', pkcs8: Uint8Array) =>
    assert.throws(
      () => asymmetricKeyPackage(pkcs8),
      (error) => isSallyportError(error, code),
    );

  test('attributes, and the public key of v2, are kept', () => {
    asymmetricKeyPackage(der.sequence(der.integer(0), algorithm, privateKey, attributes));
    asymmetricKeyPackage(der.sequence(der.integer(1), algorithm, privateKey, publicKey));
    asymmetricKeyPackage(der.sequence(der.integer(1), algorithm, privateKey, attributes, publicKey));
  });

  test('what is no PrivateKeyInfo is refused', () => {
    refuses('malformed', der.sequence(algorithm, der.octetString(random(64))));
    refuses('malformed', der.sequence(der.integer(0), algorithm));
    refuses('malformed', der.sequence(der.integer(0), algorithm, privateKey, publicKey));
    refuses('malformed', der.sequence(der.integer(1), algorithm, privateKey, publicKey, der.null()));
    refuses('unsupported', der.sequence(der.integer(2), algorithm, privateKey));
    refuses('malformed', asymmetricKeyPackage(generated['ec-p256']));
    refuses('malformed', new Uint8Array());
  });

  test('arbitrary and changed bytes give a value or a SallyportError', () => {
    const honest = generated['ec-p256'];
    const changed = fc
      .tuple(fc.nat(honest.length - 1), fc.nat(255))
      .map(([at, octet]) => honest.with(at, octet));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), changed), (bytes) => {
        try {
          asymmetricKeyPackage(bytes);
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'too-large'), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

suite('a key that the server made, encrypted (RFC 7030 section 4.4.2)', async () => {
  const signer = await signerOf('ec-p384');

  async function encrypted(pkcs8: Uint8Array, recipientSpki: Uint8Array) {
    const recipient = await certify(recipientSpki);
    const content = { type: cmsOids.asymmetricKeyPackage, bytes: asymmetricKeyPackage(pkcs8) };
    const signed = await signedData(content, signer, Date.UTC(2026, 10, 22));
    return { recipient, message: envelopedData(parseContentInfo(signed), recipient, random) };
  }

  for (const [algorithm, pkcs8] of Object.entries(generated)) {
    for (const kind of ['rsa', 'P-256', 'P-384'] as const) {
      test(`${algorithm} for ${kind}: openssl decrypts, verifies and has the key`, async (t) => {
        const openssl = requireClient(t, 'openssl');
        if (openssl === null) return;
        const { spki, privateKey } = recipientKey(kind);
        const { recipient, message } = await encrypted(pkcs8, spki);
        const signed = opensslDecrypt(openssl, message, recipient.der, privateKey);
        const contentInfo = encodeContentInfo({ type: oids.signedData, bytes: signed });
        const opened = readDer(opensslVerify(openssl, contentInfo, root.der));
        const key = Buffer.from(opened.sequence('AsymmetricKeyPackage').next().der);
        assert.deepEqual(new Uint8Array(key), pkcs8);
        createPrivateKey({ key, format: 'der', type: 'pkcs8' });
      });
    }
  }

  test('no octets of the key are in the message', async () => {
    for (const pkcs8 of Object.values(generated)) {
      const { spki, privateKey } = recipientKey('P-256');
      const { message } = await encrypted(pkcs8, spki);
      const octets = Buffer.from(message);
      assert.ok(Buffer.from(openEnvelope(message, privateKey).bytes).includes(pkcs8));
      // Behind the version and the algorithm, whose names may stand outside as well.
      for (let at = 32; at + 8 <= pkcs8.length; at += 1) {
        assert.equal(octets.includes(pkcs8.subarray(at, at + 8)), false);
      }
    }
  });
});
