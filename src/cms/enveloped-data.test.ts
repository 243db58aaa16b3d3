import { isSallyportError } from '#errors';
import { type Certificate, der, type KeyUsage, oids } from '#x509';
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, randomBytes, randomFillSync } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { requireClient } from '../../test/clients.ts';
import { certify, recipientKey, signerOf } from './certified-keys.fixture.ts';
import { cmsOids } from './cms-oids.ts';
import { parseContentInfo } from './content-info.ts';
import { envelopedData } from './enveloped-data.ts';
import { openEnvelope } from './open-envelope.fixture.ts';
import { opensslDecrypt, opensslPrint } from './command-line-tools.fixture.ts';
import { signedData } from './signed-data.ts';

const random = (octets: number) => new Uint8Array(randomBytes(octets));
const secret = new TextEncoder().encode('the private key, which nobody but the recipient may read');
const content = { type: oids.data, bytes: secret };

const keys = {
  'rsa-2048': { usage: 'keyEncipherment', ...recipientKey('rsa') },
  'rsa-3072': { usage: 'keyEncipherment', ...recipientKey('rsa', 3072) },
  'ec-p256': { usage: 'keyAgreement', ...recipientKey('P-256') },
  'ec-p384': { usage: 'keyAgreement', ...recipientKey('P-384') },
} as const;
const names = Object.keys(keys) as (keyof typeof keys)[];

function refuses(recipient: Certificate, message: RegExp): void {
  assert.throws(
    () => envelopedData(content, recipient, random),
    (error) => isSallyportError(error, 'unsupported') && message.test(error.message),
  );
}

for (const name of names) {
  const { spki, privateKey, usage } = keys[name];

  suite(`EnvelopedData for ${name} (RFC 5652 section 6)`, () => {
    for (const subjectKeyIdentifier of [true, false]) {
      const identifier = subjectKeyIdentifier ? 'subjectKeyIdentifier' : 'issuerAndSerialNumber';
      for (const keyUsage of [null, [usage], ['digitalSignature', usage]] as (KeyUsage[] | null)[]) {
        test(`openssl cms -decrypt: ${identifier}, keyUsage ${keyUsage?.join('+') ?? 'absent'}`, async (t) => {
          const openssl = requireClient(t, 'openssl');
          if (openssl === null) return;
          const recipient = await certify(spki, { subjectKeyIdentifier, keyUsage });
          const message = envelopedData(content, recipient, random);
          assert.deepEqual(opensslDecrypt(openssl, message, recipient.der, privateKey), secret);
          const stranger = recipientKey(usage === 'keyEncipherment' ? 'rsa' : 'P-256');
          assert.throws(() => opensslDecrypt(openssl, message, recipient.der, stranger.privateKey));
        });
      }

      test(`names the recipient by ${identifier}, and the versions follow (section 6.1)`, async () => {
        const recipient = await certify(spki, { subjectKeyIdentifier });
        const message = envelopedData(content, recipient, random);
        const { envelopedData: opened } = openEnvelope(message, privateKey);
        const [info] = opened.recipientInfos;
        assert.equal(opened.recipientInfos.length, 1);
        assert.equal(opened.originatorInfo, undefined);
        assert.equal(opened.unprotectedAttrs, undefined);
        const rid = info!.ktri?.rid ?? info!.kari!.recipientEncryptedKeys[0]!.rid;
        const keyId = 'rKeyId' in rid ? rid.rKeyId?.subjectKeyIdentifier : undefined;
        const named = keyId ?? ('subjectKeyIdentifier' in rid ? rid.subjectKeyIdentifier : undefined);
        const expected = subjectKeyIdentifier ? recipient.subjectKeyIdentifier : undefined;
        assert.deepEqual(named && new Uint8Array(named.buffer), expected ?? undefined);
        const serialNumber = rid.issuerAndSerialNumber?.serialNumber;
        assert.equal(
          serialNumber && Buffer.from(serialNumber).toString('hex'),
          subjectKeyIdentifier ? undefined : `00${recipient.serialNumber}`,
        );
        if (usage === 'keyEncipherment') {
          assert.equal(info!.ktri!.version, subjectKeyIdentifier ? 2 : 0);
          assert.equal(opened.version, subjectKeyIdentifier ? 2 : 0);
        } else {
          assert.equal(info!.kari!.version, 3);
          assert.equal(opened.version, 2);
        }
      });
    }

    test('openssl reads the algorithms that were meant', async (t) => {
      const openssl = requireClient(t, 'openssl');
      if (openssl === null) return;
      const printed = opensslPrint(openssl, envelopedData(content, await certify(spki), random));
      const kdf = name === 'ec-p384' ? 'sha384kdf' : 'sha256kdf';
      const expected =
        usage === 'keyEncipherment'
          ? ['rsaesOaep', 'sha256', 'mgf1']
          : [`dhSinglePass-stdDH-${kdf}-scheme`, 'id-aes256-wrap', 'originatorKey'];
      for (const words of [...expected, 'aes-256-cbc']) assert.ok(printed.includes(words), words);
    });

    test('contents of every size come back, padded to the next whole block (section 6.3)', async () => {
      const recipient = await certify(spki);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 4096, size: 'max' }), (bytes) => {
          const opened = openEnvelope(
            envelopedData({ type: oids.data, bytes }, recipient, random),
            privateKey,
          );
          assert.deepEqual(opened.bytes, bytes);
          assert.equal(opened.encrypted.length, 16 * (Math.floor(bytes.length / 16) + 1));
        }),
        { numRuns: usage === 'keyEncipherment' ? 40 : 60 },
      );
    });

    test('keys in the clear are nowhere in the message, and what was drawn is wiped', async () => {
      const recipient = await certify(spki);
      const drawn: Uint8Array[] = [];
      const message = envelopedData(content, recipient, (octets) => {
        drawn.push(randomFillSync(new Uint8Array(octets)));
        return drawn.at(-1)!;
      });
      const { contentEncryptionKey } = openEnvelope(message, privateKey);
      assert.deepEqual(
        drawn.map(({ length }) => length),
        [32, 16],
      );
      assert.deepEqual(drawn[0], new Uint8Array(32));
      const octets = Buffer.from(message);
      assert.equal(octets.includes(contentEncryptionKey.subarray(0, 8)), false);
      for (let at = 0; at + 8 <= secret.length; at += 1) {
        assert.equal(octets.includes(secret.subarray(at, at + 8)), false);
      }
    });

    test('another keyUsage is refused (RFC 5280 section 4.2.1.3), and the key drawn for it wiped', async () => {
      const other = usage === 'keyEncipherment' ? 'keyAgreement' : 'keyEncipherment';
      const recipient = await certify(spki, { keyUsage: ['digitalSignature', 'dataEncipherment', other] });
      refuses(recipient, new RegExp(`without ${usage}`));
      const drawn = random(32);
      assert.throws(() => envelopedData(content, recipient, () => drawn));
      assert.deepEqual(drawn, new Uint8Array(32));
    });
  });
}

suite('recipients nothing can be encrypted for', () => {
  const spkiOf = ({ publicKey }: { publicKey: KeyObject }) =>
    new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));

  for (const [what, spki] of [
    ['Ed25519', spkiOf(generateKeyPairSync('ed25519'))],
    ['X25519', spkiOf(generateKeyPairSync('x25519'))],
    ['ML-DSA-65', spkiOf(generateKeyPairSync('ml-dsa-65'))],
    ['P-521', recipientKey('P-521').spki],
    ['an RSASSA-PSS key', spkiOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }))],
  ] as const) {
    test(`${what}: unsupported`, async () => refuses(await certify(spki), /kind|explicit|named/u));
  }

  test('an RSA key of 1024 bits: weak', async () => {
    refuses(await certify(recipientKey('rsa', 1024).spki), /weak: short/u);
  });

  test('a point off the curve: weak', async () => {
    const spki = keys['ec-p256'].spki.slice();
    spki[spki.length - 1]! ^= 1;
    refuses(await certify(spki), /weak: not-on-curve/u);
  });
});

suite('contents that are messages themselves (RFC 5652 section 3)', () => {
  const { spki, privateKey } = keys['ec-p256'];

  test('a SignedData goes in without its ContentInfo', async () => {
    const recipient = await certify(spki);
    const signed = await signedData(content, await signerOf('ec-p256'), 0);
    const value = parseContentInfo(signed);
    const opened = openEnvelope(envelopedData(value, recipient, random), privateKey);
    assert.equal(opened.envelopedData.encryptedContentInfo.contentType, oids.signedData);
    assert.deepEqual(der.sequence(der.oid(oids.signedData), der.explicit(0, opened.bytes)), signed);
    assert.throws(
      () => envelopedData({ type: oids.signedData, bytes: signed }, recipient, random),
      (error) => isSallyportError(error, 'malformed') && /parseContentInfo/u.test(error.message),
    );
  });

  test('the message is an EnvelopedData, and each one is another', async () => {
    const recipient = await certify(spki);
    const message = envelopedData(content, recipient, random);
    assert.equal(parseContentInfo(message).type, cmsOids.envelopedData);
    assert.notDeepEqual(envelopedData(content, recipient, random), message);
  });
});
