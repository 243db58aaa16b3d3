import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { encodeChain, encodeChallenge, parseAttest, parseSecret } from './messages.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const octets = (fill: number) => Buffer.alloc(3, fill).toString('base64');
const whole = {
  tpmInfo: { version: 2 },
  ek: octets(1),
  ekCerts: [octets(2)],
  akCert: octets(9),
  params: {
    public: octets(3),
    createData: octets(4),
    createAttestation: octets(5),
    createSignature: octets(6),
  },
};
const filled = (fill: number) => new Uint8Array(3).fill(fill);

suite('messages of step', () => {
  test('the first names both keys, and how the one was created', () => {
    const message = bytes(whole);
    assert.deepEqual(parseAttest(message), {
      endorsementKey: filled(1),
      endorsementArea: null,
      certificates: [filled(2)],
      attestationKey: filled(3),
      creation: { data: filled(4), attest: filled(5), signature: filled(6) },
      message,
    });
  });

  test('with the public area of the endorsement key, and without certificates', () => {
    const { endorsementArea, certificates } = parseAttest(
      bytes({ ...whole, ekPublic: octets(7), ekCerts: null }),
    );
    assert.deepEqual([endorsementArea, certificates], [filled(7), []]);
  });

  for (const name of ['public', 'createData', 'createAttestation', 'createSignature'] as const) {
    test(`without ${name} it is none`, () => {
      const { [name]: _, ...params } = whole.params;
      assert.throws(() => parseAttest(bytes({ ...whole, params })), new RegExp(name));
    });
  }

  for (const [what, text] of [
    ['URL-safe', '-_-_'],
    ['without its padding', 'AA'],
    ['with bits left over', 'AB=='],
    ['too long', Buffer.alloc(8193).toString('base64')],
  ] as const) {
    test(`base64 that is ${what} is refused, and not repeated`, () => {
      assert.throws(
        () => parseSecret(bytes({ secret: text })),
        (error) => isSallyportError(error, 'malformed') && !error.message.includes(text),
      );
    });
  }

  test('what is no UTF-8 is none, be it in a member of which no notice is taken', () => {
    const text = JSON.stringify({ ...whole, comment: 'é' });
    assert.equal(parseAttest(Buffer.from(text)).endorsementArea, null);
    assert.throws(
      () => parseAttest(Buffer.from(text, 'latin1')),
      (error) => isSallyportError(error, 'malformed'),
    );
  });

  test('what is no message is malformed, whatever it is', () => {
    const any = fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from), fc.jsonValue().map(bytes));
    fc.assert(
      fc.property(any, (message) => {
        for (const parse of [parseAttest, parseSecret]) {
          try {
            parse(message);
          } catch (error) {
            if (!isSallyportError(error, 'malformed')) throw error;
          }
        }
      }),
    );
  });

  test('answers are read as they were written', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array({ minLength: 1 }), (credentialBlob, secret) => {
        const challenge = JSON.parse(encodeChallenge({ credentialBlob, secret })) as Record<string, string>;
        assert.deepEqual(Uint8Array.fromBase64(challenge['credential']!), credentialBlob);
        assert.deepEqual(parseSecret(bytes(challenge)), secret);
        const { chain } = JSON.parse(encodeChain([credentialBlob, secret])) as { chain: string[] };
        assert.deepEqual(
          chain.map((each) => Uint8Array.fromBase64(each)),
          [credentialBlob, secret],
        );
      }),
    );
  });
});
