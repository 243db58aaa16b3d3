import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { suite, test } from 'node:test';
import * as asn1Cms from '@peculiar/asn1-cms';
import { AsnConvert } from '@peculiar/asn1-schema';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { certsOnly, parseCertsOnly } from '#cms';
import { assembleSigned, buildName, der, encodeName, encodeTbsCertificate, oids } from '#x509';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function certificate(commonName: string): Uint8Array {
  const name = buildName([{ type: 'commonName', value: commonName }]);
  const tbs = encodeTbsCertificate({
    serialNumber: '01',
    signatureAlgorithm: 'ec-p256',
    issuer: encodeName(name),
    subject: name,
    notBefore: 0,
    notAfter: Date.UTC(2040, 0, 1),
    spki: publicKey.export({ format: 'der', type: 'spki' }),
    extensions: [],
  });
  return assembleSigned(tbs, 'ec-p256', sign('sha256', tbs, privateKey));
}

const leaf = certificate('a much longer name than the issuer has');
const issuer = certificate('issuer');

function refuses(code: 'malformed' | 'unsupported' | 'too-large', bytes: Uint8Array): void {
  assert.throws(
    () => parseCertsOnly(bytes),
    (error) => isSallyportError(error, code),
  );
}

suite('certs-only messages (RFC 8551 section 3.8)', () => {
  test('carry certificates in the order given, the leaf first', () => {
    assert.deepEqual(parseCertsOnly(certsOnly([leaf, issuer])), [leaf, issuer]);
    assert.deepEqual(parseCertsOnly(certsOnly([issuer, leaf])), [issuer, leaf]);
  });

  test('are what the oracle reads: SignedData, version 1, no content, no signers', () => {
    const contentInfo = AsnConvert.parse(certsOnly([leaf, issuer]), asn1Cms.ContentInfo);
    assert.equal(contentInfo.contentType, oids.signedData);
    const signedData = AsnConvert.parse(contentInfo.content, asn1Cms.SignedData);
    assert.equal(signedData.version, asn1Cms.CMSVersion.v1);
    assert.equal(signedData.encapContentInfo.eContentType, oids.data);
    assert.equal(signedData.encapContentInfo.eContent, undefined);
    assert.equal(signedData.digestAlgorithms.length, 0);
    assert.equal(signedData.signerInfos.length, 0);
    assert.equal(signedData.certificates?.length, 2);
  });

  test('without certificates or with more than 64 are refused', () => {
    assert.throws(
      () => certsOnly([]),
      (error) => isSallyportError(error, 'malformed'),
    );
    assert.equal(parseCertsOnly(certsOnly(Array.from({ length: 64 }, () => issuer))).length, 64);
    refuses('too-large', certsOnly(Array.from({ length: 65 }, () => issuer)));
  });
});

suite('what is refused', () => {
  const parts = {
    version: der.integer(1),
    digestAlgorithms: der.set(),
    encapContentInfo: der.sequence(der.oid(oids.data)),
    certificates: der.implicitConstructed(0, issuer),
    signerInfos: der.set(),
  };
  const message = (changed: Partial<Record<keyof typeof parts | 'more', Uint8Array | null>>) => {
    const all = Object.values({ ...parts, ...changed }).filter((part) => part !== null);
    return der.sequence(der.oid(oids.signedData), der.explicit(0, der.sequence(...all)));
  };

  test('the parts as they are, and CRLs beside them, are read', () => {
    assert.deepEqual(parseCertsOnly(message({})), [issuer]);
    const crls = message({ certificates: null, signerInfos: null, more: der.null() });
    refuses('malformed', crls);
    const withCrls = der.sequence(
      parts.version,
      parts.digestAlgorithms,
      parts.encapContentInfo,
      parts.certificates,
      der.implicitConstructed(1, der.sequence()),
      parts.signerInfos,
    );
    assert.deepEqual(parseCertsOnly(der.sequence(der.oid(oids.signedData), der.explicit(0, withCrls))), [
      issuer,
    ]);
  });

  test('a signer, a digest algorithm, content, no certificates, something more: malformed', () => {
    refuses('malformed', message({ signerInfos: der.set(der.sequence()) }));
    refuses('malformed', message({ digestAlgorithms: der.set(der.sequence(der.oid(oids.sha256))) }));
    const content = der.sequence(der.oid(oids.data), der.explicit(0, der.octetString(Uint8Array.of(1))));
    refuses('malformed', message({ encapContentInfo: content }));
    refuses('malformed', message({ certificates: null }));
    refuses('malformed', message({ certificates: der.implicitConstructed(0) }));
    refuses('malformed', message({ more: der.null() }));
  });

  test('another content type, version or eContentType: unsupported', () => {
    refuses('unsupported', der.sequence(der.oid(oids.data), der.explicit(0, der.octetString(issuer))));
    refuses('unsupported', message({ version: der.integer(3) }));
    refuses('unsupported', message({ encapContentInfo: der.sequence(der.oid(oids.signedData)) }));
  });
});

test('arbitrary and changed bytes give a value or a SallyportError', () => {
  const honest = certsOnly([leaf, issuer]);
  const changed = fc
    .tuple(fc.nat(honest.length - 1), fc.nat(255))
    .map(([at, octet]) => honest.with(at, octet));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), changed), (bytes) => {
      try {
        parseCertsOnly(bytes);
      } catch (error) {
        assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'too-large'), String(error));
      }
    }),
    { numRuns: 500 },
  );
});
