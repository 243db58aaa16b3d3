import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type Certificate,
  type Extension,
  encodeBasicConstraints,
  encodeCertificatePolicies,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  extendedKeyUsages,
  extensionOids,
  findCertificationPath,
  parseCertificate,
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
} from './certification-path.fixture.ts';
import { Workbench, missing } from './command-line-tools.fixture.ts';
import { hex } from './malformed.fixture.ts';
import { extension } from './sample.fixture.ts';

suite('a certification path is found', () => {
  test('from the leaf over what was sent to what is trusted', () => {
    assert.deepEqual(findCertificationPath(leaf, [middle], [root]), [leaf, middle, root]);
  });

  test('whatever the order, the repeats and the strangers among what was sent', () => {
    const sent = [stranger, root, middle, leaf, middle].map(({ der: bytes }) => parseCertificate(bytes));
    const path = findCertificationPath(leaf, sent, [stranger, root]);
    assert.deepEqual(
      path?.map(({ subject }) => subject),
      [leaf, middle, root].map(({ subject }) => subject),
    );
  });

  test('up to a trusted certificate that is not self-signed, and no further', () => {
    assert.deepEqual(findCertificationPath(leaf, [root], [middle]), [leaf, middle]);
    assert.deepEqual(findCertificationPath(leaf, [], [middle, root]), [leaf, middle]);
  });

  test('of one for a leaf that is trusted byte for byte, CA or not', () => {
    const copy = parseCertificate(Uint8Array.from(leaf.der));
    assert.deepEqual(findCertificationPath(copy, [], [leaf]), [leaf]);
    const renewed = certificate({ ...leafRecipe, serialNumber: '02' });
    assert.equal(findCertificationPath(renewed, [], [leaf]), null);
  });

  test('past a certificate of the same name and another key, and past a dead end', () => {
    const namesake = certificate({ ...middleRecipe, key: keys.other });
    assert.deepEqual(findCertificationPath(leaf, [namesake, middle], [root]), [leaf, middle, root]);
    const elsewhere = certificate({ ...middleRecipe, issuer: 'gone', by: keys.other });
    assert.deepEqual(findCertificationPath(leaf, [elsewhere, middle], [root]), [leaf, middle, root]);
  });

  test('over a critical basicConstraints, keyUsage, extendedKeyUsage, subjectAltName and certificatePolicies', () => {
    const extensions = [
      extension(extensionOids.basicConstraints, encodeBasicConstraints({ ca: false }), true),
      extension(extensionOids.keyUsage, encodeKeyUsage(['digitalSignature']), true),
      extension(extensionOids.extendedKeyUsage, encodeExtendedKeyUsage([extendedKeyUsages.clientAuth]), true),
      extension(extensionOids.subjectAltName, hex('30 03 82 01 78'), true),
      extension(extensionOids.certificatePolicies, encodeCertificatePolicies(['1.2.3']), true),
    ];
    const all = certificate({ ...leafRecipe, extensions });
    assert.equal(findCertificationPath(all, [middle], [root])?.length, 3);
  });

  test('without keyUsage in the issuer, and over unknown extensions that are not critical', () => {
    const plain = certificate({ ...middleRecipe, extensions: [ca(), { ...unknown, critical: false }] });
    assert.equal(findCertificationPath(leaf, [plain], [root])?.length, 3);
  });

  test('with an unknown critical extension in the trust anchor, which is not below itself', () => {
    const anchor = certificate({ ...rootRecipe, extensions: [ca(), unknown] });
    assert.equal(findCertificationPath(leaf, [middle], [anchor])?.length, 3);
  });
});

suite('pathLenConstraint (RFC 5280 section 4.2.1.9)', () => {
  /** root, `count` CAs named 1, 2, ..., a leaf; each CA with the extensions that `of` gives it. Leaf first. */
  function chain(count: number, of: (i: number) => readonly Extension[]): Certificate[] {
    const made = [certificate({ ...rootRecipe, extensions: of(0) })];
    for (let i = 1; i <= count; i += 1) {
      const issuer = i === 1 ? 'root' : String(i - 1);
      made.push(
        certificate({ subject: String(i), issuer, key: keys.root, by: keys.root, extensions: of(i) }),
      );
    }
    const issuer = count === 0 ? 'root' : String(count);
    made.push(certificate({ ...leafRecipe, issuer, by: keys.root }));
    return made.toReversed();
  }

  function lengthOf([first, ...rest]: readonly Certificate[]): number | undefined {
    assert.ok(first !== undefined);
    return findCertificationPath(first, rest.slice(0, -1), rest.slice(-1))?.length;
  }

  test('counts the CAs that follow, not the last certificate', () => {
    for (const [limit, length] of [
      [0, undefined],
      [1, undefined],
      [2, 5],
    ] as const) {
      assert.equal(lengthOf(chain(3, (i) => [i === 1 ? ca(limit) : ca()])), length);
    }
    assert.equal(lengthOf(chain(0, () => [ca(0)])), 2);
  });

  test('of the trusted certificate holds too', () => {
    assert.equal(lengthOf(chain(1, (i) => [i === 0 ? ca(1) : ca()])), 3);
    assert.equal(lengthOf(chain(1, (i) => [i === 0 ? ca(0) : ca()])), undefined);
  });

  test('does not count a self-issued CA', () => {
    const limited = certificate({ ...middleRecipe, extensions: [ca(0)] });
    const rolled = certificate({
      subject: 'middle',
      issuer: 'middle',
      key: keys.other,
      by: keys.middle,
      extensions: [ca(0)],
    });
    const below = certificate({ ...leafRecipe, by: keys.other });
    assert.equal(findCertificationPath(below, [rolled, limited], [root])?.length, 4);
  });

  test('a path has at most 8 certificates', () => {
    assert.equal(lengthOf(chain(6, () => [ca()])), 8);
    assert.equal(lengthOf(chain(7, () => [ca()])), undefined);
  });
});

suite('openssl verify agrees', () => {
  const cases: Readonly<Record<string, readonly [Partial<Recipe>, Partial<Recipe>]>> = {
    'a good path': [{}, {}],
    'a path of no length': [{ extensions: [ca(0)] }, {}],
    'a root with too short a path': [{}, { extensions: [ca(0)] }],
    'a middle that is no CA': [{ extensions: [certSign] }, {}],
    'no keyCertSign': [
      { extensions: [ca(), extension(extensionOids.keyUsage, encodeKeyUsage(['cRLSign']))] },
      {},
    ],
    'an unknown critical extension': [{ extensions: [ca(), unknown] }, {}],
    'another key': [{ key: keys.other }, {}],
  };
  const bench = new Workbench();
  for (const [what, [ofMiddle, ofRoot]] of Object.entries(cases)) {
    test(what, { skip: missing('openssl') }, () => {
      const between = certificate({ ...middleRecipe, ...ofMiddle });
      const anchor = certificate({ ...rootRecipe, ...ofRoot });
      bench.writePem('root.pem', anchor.der, 'CERTIFICATE');
      bench.writePem('middle.pem', between.der, 'CERTIFICATE');
      bench.writePem('leaf.pem', leaf.der, 'CERTIFICATE');
      const options = ['-no_check_time', '-CAfile', 'root.pem', '-untrusted', 'middle.pem'];
      const verify = () => bench.run('openssl', 'verify', ...options, 'leaf.pem');
      if (findCertificationPath(leaf, [between], [anchor]) === null) assert.throws(verify);
      else assert.match(verify(), /OK/);
    });
  }
});
