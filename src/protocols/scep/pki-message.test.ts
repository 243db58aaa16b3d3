import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  attribute,
  certsOnly,
  decryptEnvelopedData,
  openSignedData,
  parseCertsOnly,
  readEnvelopedData,
} from '#cms';
import { isSallyportError } from '#errors';
import { type Der, der, oids, readDer } from '#x509';
import { certRep, type CertRepContent } from './cert-rep.ts';
import { clientOf, raOf, testKey } from './message-keys.fixture.ts';
import { type MessageType, readPkiMessage } from './pki-message.ts';
import { scepOids } from './scep-oids.ts';

const client = await clientOf('device-1');
const ra = await raOf();
const nonce = randomBytes(16);
const envelope = der.octetString(Buffer.from('an envelope, which nobody opens here'));

/** The attributes of a PKCSReq; undefined leaves one out. */
const attributes: Readonly<Record<string, Der>> = {
  messageType: der.printableString('19'),
  transactionId: der.printableString('0A1B2C'),
  senderNonce: der.octetString(nonce),
};
const message = (
  changed: Readonly<Record<string, Der | undefined>> = {},
  content: Der | null = envelope,
  type: string = oids.data,
) => {
  const all = { ...attributes, ...changed };
  const list = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [attribute(scepOids[name as keyof typeof scepOids], value)],
  );
  return client.sign({ type, bytes: content }, list);
};

describe('a pkiMessage', () => {
  for (const [number, type] of [
    ['17', 'RenewalReq'],
    ['19', 'PKCSReq'],
    ['20', 'CertPoll'],
    ['21', 'GetCert'],
    ['22', 'GetCRL'],
  ] as const) {
    test(`of messageType ${number} is a ${type}`, async () => {
      const read = readPkiMessage(await message({ messageType: der.printableString(number) }));
      assert.equal(read.type, type satisfies MessageType);
      assert.equal(read.transaction.id, '0A1B2C');
      assert.deepEqual(Buffer.from(read.transaction.senderNonce), nonce);
      assert.deepEqual(Buffer.from(read.envelope), Buffer.from(envelope));
      assert.deepEqual(read.signer.der, client.certificate.der);
    });
  }

  for (const number of ['', '0', '3', '18', '23', '99', '019', '19 ', ' 19', '1９', '-19', 'constructor']) {
    test(`of messageType ${JSON.stringify(number)} is none`, async () => {
      const written = await message({ messageType: der.utf8String(number) });
      assert.throws(
        () => readPkiMessage(written),
        (error) => isSallyportError(error, 'unsupported', 'malformed'),
      );
    });
  }

  for (const [what, changed, words] of [
    ['no messageType', { messageType: undefined }, /no messageType/],
    ['no transactionID', { transactionId: undefined }, /no transactionId/],
    ['no senderNonce', { senderNonce: undefined }, /no senderNonce/],
    ['an empty transactionID', { transactionId: der.printableString('') }, /1 to 256/],
    ['a long transactionID', { transactionId: der.printableString('A'.repeat(257)) }, /1 to 256/],
    ['a transactionID of two lines', { transactionId: der.utf8String('a\nrefused: nobody') }, /characters/],
    [
      'a transactionID of another type',
      { transactionId: der.octetString(Buffer.from('1')) },
      /no PrintableString/,
    ],
    ['an empty nonce', { senderNonce: der.octetString(new Uint8Array()) }, /1 to 64/],
    ['a long nonce', { senderNonce: der.octetString(new Uint8Array(65)) }, /1 to 64/],
    ['a nonce of another type', { senderNonce: der.printableString('1') }, /OCTET STRING/],
  ] as const) {
    test(`with ${what} is none`, async () => {
      const written = await message(changed);
      assert.throws(() => readPkiMessage(written), { code: 'malformed', message: words });
    });
  }

  test('without content, or with another than data, is none', async () => {
    for (const written of [await message({}, null), await message({}, envelope, oids.signedData)]) {
      assert.throws(() => readPkiMessage(written), { code: 'malformed', message: /must be data/ });
    }
  });

  test('answers a mutated message with the same or a typed error', async () => {
    const whole = await message();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (place, by) => {
        try {
          assert.equal(readPkiMessage(whole.with(place, whole[place]! ^ by)).transaction.id, '0A1B2C');
        } catch (error) {
          assert.ok(isSallyportError(error) && error.code !== 'internal', String(error));
        }
      }),
    );
  });
});

describe('a CertRep', () => {
  const now = Date.UTC(2026, 10, 26);
  const answer = async (content: CertRepContent, changed: object = {}) => {
    const { transaction } = readPkiMessage(await message());
    const form = {
      transaction,
      digest: 'sha256',
    } as const;
    return openSignedData(await certRep(content, { ...form, ...changed }, { ra, random: randomBytes, now }));
  };
  const textOf = (value: Der | undefined) => value && Buffer.from(readDer(value).content).toString();

  test('of success has the certificates, for the key that signed, and repeats transaction and nonce', async () => {
    for (const cipher of ['aes-128-cbc', 'aes-256-cbc', 'des-ede3-cbc'] as const) {
      const envelope = { cipher, transport: 'pkcs1', recipient: client.certificate } as const;
      const rep = await answer({ status: 'success', bytes: certsOnly([ra.certificate.der]), envelope });
      assert.deepEqual(rep.signer.der, ra.certificate.der);
      const read = (name: keyof typeof scepOids) => rep.attributes.get(scepOids[name]);
      assert.deepEqual([textOf(read('messageType')), textOf(read('pkiStatus'))], ['3', '0']);
      assert.deepEqual(read('transactionId'), attributes['transactionId']);
      assert.deepEqual(Buffer.from(readDer(read('recipientNonce')!).content), nonce);
      assert.equal(readDer(read('senderNonce')!).content.length, 16);
      assert.equal(read('failInfo'), undefined);
      const opened = readEnvelopedData(rep.content!.bytes, [client.certificate]);
      assert.equal(opened.cipher, cipher);
      const plain = await decryptEnvelopedData(opened, testKey(client.privateKey));
      assert.deepEqual(parseCertsOnly(plain), [new Uint8Array(ra.certificate.der)]);
    }
  });

  test('has another senderNonce each time', async () => {
    const nonces = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const rep = await answer({ status: 'pending' });
        return Buffer.from(rep.attributes.get(scepOids.senderNonce)!).toString('hex');
      }),
    );
    assert.equal(new Set(nonces).size, 8);
  });

  test('of pending and of failure has an empty content', async () => {
    const pending = await answer({ status: 'pending' });
    assert.equal(pending.content!.bytes.length, 0);
    assert.equal(textOf(pending.attributes.get(scepOids.pkiStatus)), '3');
    const failure = await answer({ status: 'failure', failInfo: 'badRequest', words: 'Not so. R-1' });
    assert.equal(failure.content!.bytes.length, 0);
    const said = (['pkiStatus', 'failInfo', 'failInfoText'] as const).map((name) =>
      textOf(failure.attributes.get(scepOids[name])),
    );
    assert.deepEqual(said, ['2', '2', 'Not so. R-1']);
  });

  test('is signed with the digest of the request', async () => {
    for (const digest of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      assert.equal((await answer({ status: 'pending' }, { digest })).digest, digest);
    }
  });
});
