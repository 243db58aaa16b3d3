import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { keyAlgorithms } from '#keys';
import { contextConstructed, type Der, der, oids, readDer, tags } from '#x509';
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { requireClient } from '../../test/clients.ts';
import { certify, signerOf } from './certified-keys.fixture.ts';
import { cmsOids } from './cms-oids.ts';
import { encodeContentInfo } from './content-info.ts';
import { opensslSign } from './command-line-tools.fixture.ts';
import { issuerAndSerialNumber } from './issuer-and-serial-number.ts';
import { openSignedData } from './open-signed-data.ts';
import { signedData } from './signed-data.ts';

const bytes = new TextEncoder().encode('what was signed');
const content = { type: oids.data, bytes };
const at = Date.UTC(2026, 10, 26);

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signer = await certify(publicKey.export({ type: 'spki', format: 'der' }), { commonName: 'Device' });

const other = await certify(
  generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }),
);

/** A SignedData by hand, so that each part of it can be wrong. */
interface Parts {
  readonly content?: Der | null;
  readonly contentType?: string;
  readonly attributes?: readonly Der[] | null;
  readonly sorted?: boolean;
  readonly digest?: 'sha1' | 'sha256' | 'sha512' | 'md5';
  readonly signatureAlgorithm?: string;
  readonly certificates?: readonly Der[];
  readonly infos?: (info: Der) => readonly Der[];
  readonly signature?: (signature: Uint8Array) => Uint8Array;
}

const attribute = (oid: string, ...values: Der[]) => der.sequence(der.oid(oid), der.set(...values));
const contentTypeIs = (oid: string) => attribute(cmsOids.contentType, der.oid(oid));
const digestIs = (octets: Uint8Array) => attribute(cmsOids.messageDigest, der.octetString(octets));
const digestOids = { sha1: oids.sha1, sha256: oids.sha256, sha512: oids.sha512, md5: '1.2.840.113549.2.5' };

function signed(parts: Parts = {}): Der {
  const { digest = 'sha256', contentType = oids.data, sorted = true } = parts;
  const inside = parts.content === undefined ? bytes : parts.content;
  const attributes =
    parts.attributes === undefined
      ? [contentTypeIs(contentType), digestIs(hash(digest, inside ?? new Uint8Array(), 'buffer'))]
      : (parts.attributes ?? []);
  const set = sorted ? der.set(...attributes) : withTag(tags.set, der.sequenceOf(attributes));
  const signature = sign(digest, parts.attributes === null ? inside! : set, privateKey);
  const info = der.sequence(
    der.integer(1),
    issuerAndSerialNumber(signer),
    der.sequence(der.oid(digestOids[digest]), der.null()),
    ...(parts.attributes === null ? [] : [withTag(contextConstructed(0), der.sequenceOf(attributes))]),
    der.sequence(der.oid(parts.signatureAlgorithm ?? oids.rsaEncryption), der.null()),
    der.octetString(parts.signature?.(signature) ?? signature),
  );
  const eContent = inside === null ? [] : [der.explicit(0, der.octetString(inside))];
  return encodeContentInfo({
    type: oids.signedData,
    bytes: der.sequence(
      der.integer(1),
      der.set(),
      der.sequence(der.oid(contentType), ...eContent),
      der.implicitConstructed(0, ...(parts.certificates ?? [signer.der])),
      withTag(tags.set, der.sequenceOf(parts.infos?.(info) ?? [info])),
    ),
  });
}

const withTag = (tag: number, element: Der) => element.with(0, tag);

describe('openSignedData', () => {
  for (const algorithm of keyAlgorithms.filter((each) => /^(?:rsa|ec)-/.test(each))) {
    test(`opens what signedData wrote: ${algorithm}`, async () => {
      const by = await signerOf(algorithm);
      const message = openSignedData(await signedData(content, by, at));
      assert.deepEqual(message.content, { type: oids.data, bytes });
      assert.deepEqual(message.signer.der, by.certificate.der);
      assert.equal(message.digest, algorithm === 'ec-p384' ? 'sha384' : 'sha256');
      assert.equal(readDer(message.attributes.get(cmsOids.signingTime)!).time('signingTime'), at);
    });
  }

  for (const options of [[], ['-stream'], ['-stream', '-keyid'], ['-md', 'sha512'], ['-md', 'sha1']]) {
    test(`opens what openssl cms -sign ${options.join(' ')} wrote`, (t) => {
      const openssl = requireClient(t, 'openssl');
      if (openssl === null) return;
      const written = opensslSign(openssl, bytes, signer.der, privateKey, options);
      // What is streamed comes in indefinite lengths.
      assert.equal(written[1] === 0x80, options.includes('-stream'));
      const message = openSignedData(written);
      assert.deepEqual(message.content, { type: oids.data, bytes });
      assert.deepEqual(message.signer.der, signer.der);
      assert.equal(message.digest, options[0] === '-md' ? options[1] : 'sha256');
    });
  }

  test('reads a content in pieces by the octets of all of them', () => {
    const message = Buffer.from(signed());
    const from = message.indexOf(Buffer.from(bytes)) - 2;
    const pieces = Buffer.concat([
      Buffer.from('24800403', 'hex'),
      bytes.subarray(0, 3),
      Buffer.from('24800400', 'hex'),
      Buffer.from([4, bytes.length - 3]),
      bytes.subarray(3),
      Buffer.from('00000000', 'hex'),
    ]);
    // Around it definite lengths, which have to grow: written as indefinite ones instead.
    const rewritten = indefinite(message, from, bytes.length + 2, pieces);
    assert.deepEqual(openSignedData(rewritten).content?.bytes, bytes);
  });

  test('a message without content is one', () => {
    assert.equal(openSignedData(signed({ content: null })).content, null);
  });

  test('attributes may be signed in the order in which they stand, or in that of DER', () => {
    const attributes = [digestIs(hash('sha256', bytes, 'buffer')), contentTypeIs(oids.data)];
    assert.notDeepEqual(der.set(...attributes), withTag(tags.set, der.sequenceOf(attributes)));
    for (const sorted of [true, false]) openSignedData(signed({ attributes, sorted }));
  });

  const good = [contentTypeIs(oids.data), digestIs(hash('sha256', bytes, 'buffer'))];
  const cases: readonly (readonly [string, Parts, string, RegExp])[] = [
    ['no signer', { infos: () => [] }, 'malformed', /exactly one signer/],
    ['two signers', { infos: (info) => [info, info] }, 'malformed', /exactly one signer/],
    ['no signed attributes', { attributes: null }, 'malformed', /no signed attributes/],
    ['no digest among them', { attributes: [contentTypeIs(oids.data)] }, 'malformed', /no messageDigest/],
    ['no content type among them', { attributes: [good[1]!] }, 'malformed', /no contentType/],
    [
      'another content type there',
      { attributes: [contentTypeIs(oids.signedData), good[1]!] },
      'malformed',
      /contentType is not/,
    ],
    ['an attribute twice', { attributes: [...good, good[1]!] }, 'malformed', /twice/],
    [
      'an attribute with two values',
      {
        attributes: [good[1]!, attribute(cmsOids.contentType, der.oid(oids.data), der.oid(oids.signedData))],
      },
      'malformed',
      /trailing|more|signedAttrs|values/,
    ],
    [
      'another digest',
      { attributes: [good[0]!, digestIs(hash('sha256', 'other', 'buffer'))] },
      'bad-signature',
      /content is not what/,
    ],
    [
      'a digest that is cut',
      { attributes: [good[0]!, digestIs(hash('sha256', bytes, 'buffer').subarray(1))] },
      'bad-signature',
      /content is not what/,
    ],
    ['no certificate of the signer', { certificates: [other.der] }, 'malformed', /exactly one certificate/],
    [
      'another signature',
      { signature: (octets) => octets.with(9, octets[9]! ^ 1) },
      'bad-signature',
      /does not verify/,
    ],
    ['an empty signature', { signature: () => new Uint8Array() }, 'bad-signature', /does not verify/],
    ['MD5', { digest: 'md5' }, 'unsupported', /1\.2\.840\.113549\.2\.5/],
    [
      'a signature algorithm with another digest',
      { signatureAlgorithm: oids.sha512WithRsaEncryption },
      'unsupported',
      /with sha256/,
    ],
    [
      'ECDSA with an RSA key',
      { signatureAlgorithm: oids.ecdsaWithSha256 },
      'bad-signature',
      /does not verify/,
    ],
    ['nine certificates', { certificates: Array(9).fill(other.der) }, 'too-large', /more than 8/],
  ];
  for (const [what, parts, code, words] of cases) {
    test(`refuses ${what}`, () => {
      assert.throws(() => openSignedData(signed(parts)), { code, message: words });
    });
  }

  test('takes the certificate twice, and what else stands beside it, parsed or not', () => {
    const unread = der.sequence(der.integer(7));
    const { signer: found, beside } = openSignedData(
      signed({ certificates: [unread, signer.der, other.der, signer.der] }),
    );
    assert.deepEqual(found.der, signer.der);
    assert.deepEqual(beside, [unread, other.der]);
  });

  test("refuses another's certificate under the signer's issuer and serial number", async () => {
    // Whose key did not sign: a certificate is found by its name, and then its key must verify.
    const substitute = Buffer.from(signer.der);
    const spki = Buffer.from(other.spki);
    const own = Buffer.from(signer.spki);
    assert.equal(spki.length, own.length);
    spki.copy(substitute, substitute.indexOf(own));
    assert.throws(() => openSignedData(signed({ certificates: [substitute] })), { code: 'bad-signature' });
  });

  test('answers a mutated message with the same content or a typed error', () => {
    const message = signed();
    fc.assert(
      fc.property(fc.nat(message.length - 1), fc.integer({ min: 1, max: 255 }), (place, by) => {
        try {
          const opened = openSignedData(message.with(place, message[place]! ^ by));
          assert.deepEqual(opened.content, { type: oids.data, bytes });
        } catch (error) {
          assert.ok(isSallyportError(error) && error.code !== 'internal', String(error));
        }
      }),
    );
  });
});

/** The message with `replacement` for the octets there, and indefinite lengths for all that holds them. */
function indefinite(message: Uint8Array, from: number, length: number, replacement: Uint8Array): Uint8Array {
  const rewrite = (start: number): { octets: Uint8Array; end: number } => {
    const node = readDer(message.subarray(start, start + lengthOf(message, start)));
    const end = start + node.der.length;
    if (start === from) return { octets: replacement, end };
    const contentStart = end - node.contentLength;
    if ((node.tag & 0x20) === 0 || from < start || from >= end || length > node.der.length) {
      return { octets: message.subarray(start, end), end };
    }
    const parts: Uint8Array[] = [];
    for (let place = contentStart; place < end;) {
      const part = rewrite(place);
      parts.push(part.octets);
      place = part.end;
    }
    return { octets: Buffer.concat([Uint8Array.of(node.tag, 0x80), ...parts, Uint8Array.of(0, 0)]), end };
  };
  return rewrite(0).octets;
}

function lengthOf(message: Uint8Array, start: number): number {
  const first = message[start + 1]!;
  if (first < 0x80) return 2 + first;
  let length = 0;
  for (let place = start + 2; place < start + 2 + (first & 0x7f); place += 1) {
    length = length * 256 + message[place]!;
  }
  return 2 + (first & 0x7f) + length;
}
