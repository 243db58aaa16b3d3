import assert from 'node:assert/strict';
import { constants, createCipheriv, createPrivateKey, privateDecrypt, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { contextConstructed, type Der, der, oids, tags } from '#x509';
import { requireClient } from '../../test/clients.ts';
import { certify, recipientKey } from './certified-keys.fixture.ts';
import { cmsOids } from './cms-oids.ts';
import { opensslEncrypt } from './command-line-tools.fixture.ts';
import { encodeContentInfo } from './content-info.ts';
import { envelopedData } from './enveloped-data.ts';
import { issuerAndSerialNumber } from './issuer-and-serial-number.ts';
import { decryptEnvelopedData, readEnvelopedData, type TransportKey } from './open-enveloped-data.ts';

const content = Buffer.from('what only the recipient is to read');
const ours = recipientKey('rsa');
const theirs = recipientKey('rsa');
const us = await certify(ours.spki, { keyUsage: ['keyEncipherment'] });
const withoutKeyId = await certify(ours.spki, { keyUsage: ['keyEncipherment'], subjectKeyIdentifier: false });
const others = await certify(theirs.spki, { keyUsage: ['keyEncipherment'] });

/** #keys has the one with a thread of its own, which this room may not ask for. */
const key: TransportKey = {
  async decrypt(encryptedKey, transport) {
    const padding =
      transport === 'pkcs1'
        ? { padding: constants.RSA_PKCS1_PADDING }
        : { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: transport.slice(5) };
    try {
      return privateDecrypt(
        { key: createPrivateKey(ours.privateKey.export({ type: 'pkcs8', format: 'pem' })), ...padding },
        encryptedKey,
      );
    } catch {
      return new Uint8Array();
    }
  },
};
const opened = async (message: Uint8Array, recipient = us) =>
  decryptEnvelopedData(readEnvelopedData(message, [recipient]), key);

describe('an EnvelopedData', () => {
  test('that envelopedData wrote is opened', async () => {
    for (const recipient of [us, withoutKeyId]) {
      const message = envelopedData({ type: oids.data, bytes: content }, recipient, randomBytes);
      const read = readEnvelopedData(message, [recipient]);
      assert.deepEqual(
        [read.contentType, read.cipher, read.transport],
        [oids.data, 'aes-256-cbc', 'oaep-sha256'],
      );
      assert.deepEqual(await opened(message, recipient), content);
    }
  });

  for (const [options, cipher, transport] of [
    [['-aes128'], 'aes-128-cbc', 'pkcs1'],
    [['-aes192'], 'aes-192-cbc', 'pkcs1'],
    [['-aes256', '-stream'], 'aes-256-cbc', 'pkcs1'],
    [['-des3', '-stream', '-keyid'], 'des-ede3-cbc', 'pkcs1'],
    [['-aes256', '-keyopt=rsa_padding_mode:oaep'], 'aes-256-cbc', 'oaep-sha1'],
    [
      [
        '-aes128',
        '-keyopt=rsa_padding_mode:oaep',
        '-keyopt=rsa_oaep_md:sha256',
        '-keyopt=rsa_mgf1_md:sha256',
      ],
      'aes-128-cbc',
      'oaep-sha256',
    ],
  ] as const) {
    test(`that openssl cms -encrypt ${options.join(' ')} wrote is opened`, async (t) => {
      const openssl = requireClient(t, 'openssl');
      if (openssl === null) return;
      const message = opensslEncrypt(openssl, content, [us.der], options);
      assert.equal(
        message[1] === 0x80,
        options.some((each) => each === '-stream'),
      );
      const read = readEnvelopedData(message, [us]);
      assert.deepEqual([read.cipher, read.transport], [cipher, transport]);
      assert.deepEqual(await opened(message), content);
    });
  }

  test('for two is opened by the one of them', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    assert.deepEqual(
      await opened(opensslEncrypt(openssl, content, [others.der, us.der], ['-aes256'])),
      content,
    );
  });

  const recipientInfo = (certificate = us) =>
    der.sequence(
      der.integer(0),
      issuerAndSerialNumber(certificate),
      der.sequence(der.oid(oids.rsaEncryption), der.null()),
      der.octetString(randomBytes(256)),
    );
  function message(
    parts: { infos?: readonly Der[]; cipher?: string; iv?: number; encrypted?: Der } = {},
  ): Der {
    const { infos = [recipientInfo()], cipher = cmsOids.aes128Cbc, iv = 16 } = parts;
    return encodeContentInfo({
      type: cmsOids.envelopedData,
      bytes: der.sequence(
        der.integer(0),
        der.sequenceOf(infos).with(0, tags.set),
        der.sequence(
          der.oid(oids.data),
          der.sequence(der.oid(cipher), der.octetString(Buffer.alloc(iv))),
          parts.encrypted ?? der.implicit(0, der.octetString(Buffer.alloc(32))),
        ),
      ),
    });
  }

  test('in pieces under its tag is one', () => {
    const pieces = [der.octetString(Buffer.alloc(20, 1)), der.octetString(Buffer.alloc(12, 2))];
    const { encrypted } = readEnvelopedData(message({ encrypted: der.implicitConstructed(0, ...pieces) }), [
      us,
    ]);
    assert.deepEqual(Buffer.from(encrypted), Buffer.concat([Buffer.alloc(20, 1), Buffer.alloc(12, 2)]));
    const wrong = der.implicitConstructed(0, der.integer(1));
    assert.equal(wrong[0], contextConstructed(0));
    assert.throws(() => readEnvelopedData(message({ encrypted: wrong }), [us]), { code: 'malformed' });
  });

  for (const [what, parts, code, words] of [
    ['nobody', { infos: [] }, 'unsupported', /exactly one RecipientInfo/],
    ['another', { infos: [recipientInfo(others)] }, 'unsupported', /exactly one RecipientInfo/],
    ['us twice', { infos: [recipientInfo(), recipientInfo()] }, 'unsupported', /exactly one RecipientInfo/],
    ['too many', { infos: Array(9).fill(recipientInfo(others)) }, 'too-large', /more than 8/],
    ['us, by single DES', { cipher: '1.3.14.3.2.7' }, 'unsupported', /1\.3\.14\.3\.2\.7/],
    [
      'us, of no whole blocks',
      { encrypted: der.implicit(0, der.octetString(Buffer.alloc(20))) },
      'malformed',
      /whole blocks/,
    ],
    [
      'us, of no content',
      { encrypted: der.implicit(0, der.octetString(Buffer.alloc(0))) },
      'malformed',
      /whole blocks/,
    ],
    ['us, with a short vector', { iv: 8 }, 'malformed', /vector of 8/],
  ] as const) {
    test(`for ${what} is refused, whatever the key`, () => {
      assert.throws(() => readEnvelopedData(message(parts), [us]), { code, message: words });
    });
  }

  test('whose key was not encrypted for us is other octets, and no error', async () => {
    for (let at = 0; at < 40; at += 1) {
      assert.notEqual(Buffer.compare(await opened(message()), content), 0);
    }
  });

  /** The octets before the last block, and the last block, as they are encrypted. */
  const encryptedAs = (plain: Buffer, cipher: 'aes-128-cbc' | 'des-ede3-cbc') => {
    const [keyOctets, block] = cipher === 'aes-128-cbc' ? [16, 16] : [24, 8];
    const [contentKey, iv] = [Buffer.alloc(keyOctets, 7), Buffer.alloc(block, 9)];
    const encryption = createCipheriv(cipher, contentKey, iv).setAutoPadding(false);
    const encrypted = Buffer.concat([encryption.update(plain), encryption.final()]);
    const transportKey = { decrypt: async () => new Uint8Array(contentKey) };
    const envelope = {
      recipient: us,
      contentType: oids.data,
      cipher,
      transport: 'pkcs1',
      iv,
      encrypted,
    } as const;
    return decryptEnvelopedData({ ...envelope, encryptedKey: new Uint8Array() }, transportKey);
  };

  test('loses its padding, and where that is none all of it goes on', async () => {
    for (const [cipher, block] of [
      ['aes-128-cbc', 16],
      ['des-ede3-cbc', 8],
    ] as const) {
      for (let length = 0; length <= 32; length += 1) {
        const plain = Buffer.concat([Buffer.alloc(32, 0xaa), Buffer.alloc(length, 0xbb)]);
        const octets = block - (plain.length % block);
        const padded = Buffer.concat([plain, Buffer.alloc(octets, octets)]);
        assert.deepEqual(Buffer.from(await encryptedAs(padded, cipher)), plain);
        const last = padded.length - 1;
        for (const [at, value] of [
          [last, 0],
          [last, block + 1],
          [last, 255],
          [padded.length - octets, octets ^ 0x80],
        ] as const) {
          const wrong = Buffer.from(padded.with(at, value));
          // One octet 1 is a padding whatever stands before it.
          if (wrong.at(-1) === 1) continue;
          assert.deepEqual(Buffer.from(await encryptedAs(wrong, cipher)), wrong);
        }
      }
    }
  });

  test('that was changed is a typed error or other octets', async () => {
    const whole = envelopedData({ type: oids.data, bytes: content }, us, randomBytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (place, by) => {
        try {
          await opened(whole.with(place, whole[place]! ^ by));
        } catch (error) {
          assert.ok(isSallyportError(error) && error.code !== 'internal', String(error));
        }
      }),
    );
  });
});
