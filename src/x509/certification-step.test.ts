import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type Certificate,
  der,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeCertificatePolicies,
  encodeKeyUsage,
  encodeSubjectKeyIdentifier,
  extensionOids,
  findCertificationPath,
} from '#x509';
import {
  type Recipe,
  ca,
  certSign,
  certificate,
  keys,
  leaf,
  leafRecipe,
  middle,
  middleRecipe,
  root,
  rootRecipe,
  stranger,
  unknown,
  versionOne,
} from './certification-path.fixture.ts';
import { hex } from './malformed.fixture.ts';
import { type SampleKey, extension } from './sample.fixture.ts';

const constraints = (critical: boolean) =>
  extension(extensionOids.nameConstraints, der.sequence(der.implicitConstructed(0)), critical);

/** The leaf, with the issuer's name in another string type than it has itself. */
function printableIssuer(by: SampleKey): Certificate {
  const issuer = der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.printableString('middle'))));
  return certificate({ ...leafRecipe, issuer, by });
}

test('a certification path by names that match (RFC 5280 section 7.1): other string types, letter case', () => {
  const below = printableIssuer(keys.middle);
  assert.deepEqual(findCertificationPath(below, [middle], [root]), [below, middle, root]);
  const capital = certificate({ ...middleRecipe, subject: 'MIDDLE' });
  assert.deepEqual(findCertificationPath(leaf, [capital], [root]), [leaf, capital, root]);
});

suite('no certification path', () => {
  const viaMiddle = (changed: Partial<Recipe>, below: Certificate = leaf) =>
    findCertificationPath(below, [certificate({ ...middleRecipe, ...changed })], [root]);

  test('without an issuer', () => {
    assert.equal(findCertificationPath(leaf, [], [root]), null);
    assert.equal(findCertificationPath(leaf, [middle], []), null);
    assert.equal(findCertificationPath(leaf, [middle, root], [stranger]), null);
  });

  test('over another name than the issuer has', () => {
    assert.equal(viaMiddle({ subject: 'middle one' }), null);
    const organization = der.sequence(der.set(der.sequence(der.oid('2.5.4.10'), der.utf8String('middle'))));
    const below = certificate({ ...leafRecipe, issuer: organization });
    assert.equal(findCertificationPath(below, [middle], [root]), null);
  });

  test('over a signature by another key, however the name is written', () => {
    assert.equal(viaMiddle({ subject: 'Middle', by: keys.other }), null);
    assert.equal(findCertificationPath(printableIssuer(keys.other), [middle], [root]), null);
  });

  test('over an empty name', () => {
    const nameless = certificate({ ...middleRecipe, subject: '' });
    const below = certificate({ ...leafRecipe, issuer: '' });
    assert.equal(findCertificationPath(below, [nameless], [root]), null);
  });

  test('over a signature by another key', () => {
    assert.equal(viaMiddle({ key: keys.other }), null);
    assert.equal(viaMiddle({ by: keys.other }), null);
  });

  test('over a signature by SHA-1, or by no algorithm of ours', () => {
    const good = findCertificationPath(versionOne(leafRecipe), [middle], [root]);
    assert.equal(good?.length, 3);
    for (const oid of ['1.2.840.10045.4.1', '1.2.3']) {
      const odd = versionOne(leafRecipe, der.sequence(der.oid(oid)));
      assert.equal(findCertificationPath(odd, [middle], [root]), null);
    }
  });

  test('over key identifiers that differ; one that is absent differs from none', () => {
    const authority = (id: string) =>
      certificate({
        ...leafRecipe,
        extensions: [extension(extensionOids.authorityKeyIdentifier, encodeAuthorityKeyIdentifier(hex(id)))],
      });
    const subject = extension(extensionOids.subjectKeyIdentifier, encodeSubjectKeyIdentifier(hex('01')));
    const extensions = [ca(), subject];
    assert.equal(viaMiddle({ extensions }, authority('02')), null);
    assert.equal(viaMiddle({ extensions }, authority('01'))?.length, 3);
    assert.equal(viaMiddle({ extensions })?.length, 3);
    assert.equal(viaMiddle({}, authority('02'))?.length, 3);
  });

  test('over a certificate that is no CA: cA FALSE, no basicConstraints, version 1', () => {
    const no = extension(extensionOids.basicConstraints, encodeBasicConstraints({ ca: false }), true);
    assert.equal(viaMiddle({ extensions: [no, certSign] }), null);
    assert.equal(viaMiddle({ extensions: [certSign] }), null);
    for (const trusted of [[root], [root, versionOne(middleRecipe)]]) {
      assert.equal(findCertificationPath(leaf, [versionOne(middleRecipe)], trusted), null);
    }
  });

  test('over a CA whose keyUsage has no keyCertSign, the trusted one included', () => {
    const keyUsage = extension(extensionOids.keyUsage, encodeKeyUsage(['cRLSign', 'digitalSignature']));
    assert.equal(viaMiddle({ extensions: [ca(), keyUsage] }), null);
    const anchor = certificate({ ...rootRecipe, extensions: [ca(), keyUsage] });
    assert.equal(findCertificationPath(leaf, [middle], [anchor]), null);
  });

  test('over an unknown critical extension of the leaf or of a CA in between', () => {
    assert.equal(viaMiddle({ extensions: [ca(), unknown] }), null);
    const odd = certificate({ ...leafRecipe, extensions: [unknown] });
    assert.equal(findCertificationPath(odd, [middle], [root]), null);
  });

  for (const [name, value] of [
    ['policyConstraints', der.sequence(der.implicit(0, der.integer(0)))],
    ['inhibitAnyPolicy', der.integer(0)],
  ] as const) {
    test(`over ${name}, beside a policy`, () => {
      const policies = extension(
        extensionOids.certificatePolicies,
        encodeCertificatePolicies(['1.2.3']),
        true,
      );
      const demanding = [ca(), policies, extension(extensionOids[name], value, true)];
      assert.equal(viaMiddle({ extensions: [ca(), policies] })?.length, 3);
      assert.equal(viaMiddle({ extensions: demanding }), null);
    });
  }

  for (const critical of [true, false]) {
    test(`over name constraints, ${critical ? '' : 'not '}critical, wherever they stand`, () => {
      const extensions = [ca(), constraints(critical)];
      assert.equal(viaMiddle({ extensions }), null);
      const anchor = certificate({ ...rootRecipe, extensions });
      assert.equal(findCertificationPath(leaf, [middle], [anchor]), null);
      const constrained = certificate({ ...leafRecipe, extensions });
      assert.equal(findCertificationPath(constrained, [middle], [root]), null);
    });
  }
});
