import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { observeChannelBinding } from './channel-binding.ts';
import type { ChannelBindings } from './request.ts';

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');
const none: ChannelBindings = { tlsUnique: null, tlsExporter: null, finished: [] };
const tls12: ChannelBindings = { ...none, tlsUnique: randomBytes(12) };
const tls13: ChannelBindings = {
  ...none,
  tlsExporter: randomBytes(32),
  finished: [randomBytes(32), randomBytes(32)],
};
const seen = (challengePassword: string | null, bindings: ChannelBindings) =>
  observeChannelBinding(challengePassword, () => bindings);

describe('observeChannelBinding', () => {
  const connections = {
    'TLS 1.2': [tls12, tls12.tlsUnique!, 'tls-unique'],
    'TLS 1.3': [tls13, tls13.tlsExporter!, 'tls-exporter'],
  } as const;
  for (const [name, [bindings, own, kind]] of Object.entries(connections)) {
    test(`${name}: no challengePassword is absent, and the connection is not asked`, () => {
      const fails = () => assert.fail('asked');
      assert.equal(observeChannelBinding(null, fails), 'absent');
      assert.equal(observeChannelBinding('a one-time code', fails), 'other');
    });

    test(`${name}: its own binding is ${kind}`, () => assert.equal(seen(base64(own), bindings), kind));

    test(`${name}: each bit counts`, () => {
      for (let bit = 0; bit < own.length * 8; bit += 1) {
        const changed = Buffer.from(own);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(seen(base64(changed), bindings), 'foreign');
      }
    });

    test(`${name}: what is longer or shorter has not the form of a binding`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
          fc.pre(octets.length !== own.length);
          assert.equal(seen(base64(octets), bindings), 'other');
        }),
      );
      assert.equal(seen(base64(Buffer.concat([own, Buffer.alloc(1)])), bindings), 'other');
      assert.equal(seen(base64(own.subarray(1)), bindings), 'other');
    });

    test(`${name}: any text is observed, and none but the binding itself is taken`, () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
          assert.ok(['other', 'foreign'].includes(seen(text, bindings)));
        }),
      );
    });

    test(`${name}: another spelling of the binding is none`, () => {
      const text = base64(own);
      for (const other of [
        `${text}\n`,
        ` ${text}`,
        `${text}=`,
        text.slice(0, -1),
        Buffer.from(own).toString('hex'),
      ]) {
        assert.equal(seen(other, bindings), 'other');
      }
    });
  }

  test('the binding of one version is none on the other', () => {
    assert.equal(seen(base64(tls12.tlsUnique!), tls13), 'other');
    assert.equal(seen(base64(tls13.tlsExporter!), tls12), 'other');
  });

  test('a Finished of TLS 1.3, the client’s or the server’s, binds nothing and contradicts nothing', () => {
    for (const finished of tls13.finished) assert.equal(seen(base64(finished), tls13), 'other');
    const sha384 = randomBytes(48);
    assert.equal(seen(base64(sha384), { ...tls13, finished: [sha384] }), 'other');
  });

  test('without TLS, or with a version that has no binding, nothing is bound', () => {
    for (const length of [12, 32]) assert.equal(seen(base64(randomBytes(length)), none), 'other');
  });

  test('a binding that happens to be a Finished too is the binding', () => {
    assert.equal(
      seen(base64(tls13.tlsExporter!), { ...tls13, finished: [tls13.tlsExporter!] }),
      'tls-exporter',
    );
  });
});
