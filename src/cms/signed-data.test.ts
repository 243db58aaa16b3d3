import { isSallyportError } from '#errors';
import { keyAlgorithms } from '#keys';
import { contextConstructed, der, oids, readDer, tags, verifySignature } from '#x509';
import * as asn1Cms from '@peculiar/asn1-cms';
import { AsnConvert } from '@peculiar/asn1-schema';
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { requireClient } from '../../test/clients.ts';
import { root, signerOf } from './certified-keys.fixture.ts';
import { cmsOids } from './cms-oids.ts';
import { parseContentInfo } from './content-info.ts';
import { certtoolVerify, opensslVerify } from './command-line-tools.fixture.ts';
import { signedData } from './signed-data.ts';

const signingTime = Date.UTC(2026, 10, 22, 12, 30, 15, 999);
const bytes = der.sequence(der.octetString(new TextEncoder().encode('line\nfeeds\r\nstay as they are')));
const content = { type: cmsOids.asymmetricKeyPackage, bytes };

/** What Debian's OpenSSL 3.0 can verify in CMS; GnuTLS has Ed25519 beside it, and neither has ML-DSA. */
const knownToOpenssl = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
const knownToGnutls = [...knownToOpenssl, 'ed25519'] as const;

function parsed(message: Uint8Array): asn1Cms.SignedData {
  return AsnConvert.parse(parseContentInfo(message).bytes, asn1Cms.SignedData);
}

/** As they are signed: with the tag of SET OF in place of [0] (RFC 5652 section 5.4). */
function signedAttributesOf(message: Uint8Array): Uint8Array {
  const [...fields] = readDer(parseContentInfo(message).bytes).sequence('SignedData');
  const info = fields.at(-1)!.set('signerInfos').next().sequence('SignerInfo');
  const attributes = [...info].find(({ tag }) => tag === contextConstructed(0))!;
  return attributes.der.with(0, tags.set);
}

for (const algorithm of keyAlgorithms) {
  const digest = { 'ec-p384': 'sha384', 'ec-p256': 'sha256' }[algorithm as string];
  const digestName = digest ?? (algorithm.startsWith('rsa') ? 'sha256' : 'sha512');

  test(`${algorithm}: the SignerInfo of RFC 5652 section 5.3, with ${digestName}`, async () => {
    const signer = await signerOf(algorithm);
    const message = await signedData(content, signer, signingTime);
    assert.equal(parseContentInfo(message).type, oids.signedData);
    const signed = parsed(message);
    assert.equal(signed.version, asn1Cms.CMSVersion.v3);
    assert.equal(signed.digestAlgorithms.length, 1);
    assert.equal(signed.encapContentInfo.eContentType, cmsOids.asymmetricKeyPackage);
    assert.deepEqual(new Uint8Array(signed.encapContentInfo.eContent!.single!.buffer), bytes);
    assert.equal(signed.certificates!.length, 2);
    const [info] = signed.signerInfos;
    assert.ok(info);
    assert.equal(info.version, asn1Cms.CMSVersion.v1);
    const digestOid = oids[digestName as 'sha256'];
    for (const identifier of [info.digestAlgorithm, signed.digestAlgorithms[0]!]) {
      assert.equal(identifier.algorithm, digestOid);
      assert.equal(identifier.parameters, undefined);
    }
    const sid = info.sid.issuerAndSerialNumber!;
    assert.equal(Buffer.from(sid.serialNumber).toString('hex'), `00${signer.certificate.serialNumber}`);
    const types = info.signedAttrs!.map(({ attrType }) => attrType);
    assert.deepEqual(types.toSorted(), [cmsOids.contentType, cmsOids.messageDigest, cmsOids.signingTime]);
    const valueOf = (type: string) => {
      const { attrValues } = info.signedAttrs!.find(({ attrType }) => attrType === type)!;
      assert.equal(attrValues.length, 1);
      return new Uint8Array(attrValues[0]!);
    };
    assert.deepEqual(valueOf(cmsOids.contentType), der.oid(content.type));
    assert.deepEqual(valueOf(cmsOids.messageDigest), der.octetString(hash(digestName, bytes, 'buffer')));
    assert.equal(readDer(valueOf(cmsOids.signingTime)).time('signingTime'), signingTime - 999);
    const attributes = signedAttributesOf(message);
    const signatureAlgorithm = new Uint8Array(AsnConvert.serialize(info.signatureAlgorithm));
    const signature = new Uint8Array(info.signature.buffer);
    assert.ok(verifySignature(signatureAlgorithm, signer.certificate.spki, attributes, signature));
    const values = [...readDer(attributes).set('signedAttrs')].map((node) => node.der);
    assert.deepEqual(der.set(...values), attributes, 'in the order of SET OF');
  });
}

for (const algorithm of knownToOpenssl) {
  test(`${algorithm}: openssl cms -verify`, async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const message = await signedData(content, await signerOf(algorithm), signingTime);
    assert.deepEqual(opensslVerify(openssl, message, root.der), bytes);
    const at = Buffer.from(message).indexOf(bytes) + bytes.length - 1;
    assert.throws(
      () => opensslVerify(openssl, message.with(at, 0), root.der),
      /verify_content:verification failure/u,
    );
    const last = message.length - 1;
    assert.throws(() => opensslVerify(openssl, message.with(last, message[last]! ^ 1), root.der));
  });
}

for (const algorithm of knownToGnutls) {
  test(`${algorithm}: certtool --p7-verify`, async (t) => {
    const certtool = requireClient(t, 'certtool');
    if (certtool === null) return;
    const message = await signedData(content, await signerOf(algorithm), signingTime);
    assert.match(certtoolVerify(certtool, message, root.der), /Signature status: ok/u);
    const last = message.length - 1;
    const changed = message.with(last, message[last]! ^ 1);
    assert.match(certtoolVerify(certtool, changed, root.der), /Signature status: verification failed/u);
  });
}

suite('SignedData with a signer', () => {
  test('of id-data has version 1 (RFC 5652 section 5.1)', async () => {
    const message = await signedData({ type: oids.data, bytes }, await signerOf('ec-p256'), signingTime);
    assert.equal(parsed(message).version, asn1Cms.CMSVersion.v1);
  });

  test('after 2049 the signing time is a GeneralizedTime (RFC 5652 section 11.3)', async () => {
    const message = await signedData(content, await signerOf('ec-p256'), Date.UTC(2050, 0, 1));
    assert.ok(Buffer.from(message).includes('20500101000000Z'));
  });

  test('carries contents of every size as they are', async () => {
    const signer = await signerOf('ec-p256');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 70_000, size: 'max' }), async (bytes) => {
        const signed = parsed(await signedData({ type: oids.data, bytes }, signer, signingTime));
        assert.deepEqual(new Uint8Array(signed.encapContentInfo.eContent!.single!.buffer), bytes);
      }),
      { numRuns: 30 },
    );
  });

  test('a certificate that may not sign messages is refused (RFC 5280 section 4.2.1.3)', async () => {
    for (const keyUsage of [null, ['digitalSignature'], ['nonRepudiation']] as const) {
      await signedData(content, await signerOf('ec-p256', keyUsage), signingTime);
    }
    await assert.rejects(
      signedData(content, await signerOf('ec-p256', ['keyCertSign', 'cRLSign']), signingTime),
      (error) => isSallyportError(error, 'unsupported') && /digitalSignature/u.test(error.message),
    );
  });

  test("a faulty signature and another's are thrown away", async () => {
    const rejects = (signer: Parameters<typeof signedData>[1]) =>
      assert.rejects(signedData(content, signer, signingTime), (error) =>
        isSallyportError(error, 'internal'),
      );
    for (const algorithm of ['ec-p256', 'rsa-2048', 'ml-dsa-44'] as const) {
      const signer = await signerOf(algorithm);
      const { key } = signer;
      const sign = async (data: Uint8Array) => {
        const signature = new Uint8Array(await key.sign(data));
        signature[signature.length - 1]! ^= 1;
        return signature;
      };
      await rejects({ ...signer, key: { algorithm, sign } });
      await rejects({ ...signer, key: (await signerOf(algorithm)).key });
    }
    const ec = await signerOf('ec-p256');
    await rejects({ ...ec, key: (await signerOf('rsa-2048')).key });
  });
});
