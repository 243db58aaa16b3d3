import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { after, before, beforeEach, mock, suite, test } from 'node:test';
import fc from 'fast-check';
import {
  type Certificate,
  encodeAuthorityKeyIdentifier,
  encodeSubjectKeyIdentifier,
  extensionOids,
  findCertificationPath,
  keyIdentifier,
  parseBasicConstraints,
  verifyCertificateSignature,
} from '#x509';
import {
  ca,
  certificate,
  keys,
  leaf,
  leafRecipe,
  middle,
  middleRecipe,
  root,
  rootRecipe,
  stranger,
} from './certification-path.fixture.ts';
import { extension, sampleKey } from './sample.fixture.ts';

/** What Node.js is asked to verify, counted. */
const verified = mock.method(crypto, 'verify');
before(() => syncBuiltinESMExports());
after(() => {
  verified.mock.restore();
  syncBuiltinESMExports();
});
beforeEach(() => verified.mock.resetCalls());

/** The certificates of the path, and the signatures that it cost. */
function cost(of: Certificate, sent: readonly Certificate[], trusted: readonly Certificate[]) {
  verified.mock.resetCalls();
  const path = findCertificationPath(of, sent, trusted);
  return [path?.length ?? 0, verified.mock.callCount()];
}

/** CAs of one name and one key, each issued by all of them and by their issuer. */
function clones(count: number, issuer = 'middle', by = keys.middle): Certificate[] {
  return Array.from({ length: count }, (_, i) =>
    certificate({ ...middleRecipe, issuer, by, serialNumber: (0x10 + i).toString(16) }),
  );
}

suite('what a stranger can make it cost', () => {
  const own = certificate({ ...leafRecipe, by: keys.other });
  const forged = (count: number) => clones(count, 'root', keys.other);

  test('nothing where nobody is trusted', () => {
    assert.deepEqual(cost(leaf, [middle, ...clones(15)], []), [0, 0]);
  });

  test('nothing where no path ends at a name that is trusted', () => {
    assert.deepEqual(cost(leaf, clones(16), [root]), [0, 0]);
    assert.deepEqual(cost(leaf, [middle, root], [stranger]), [0, 0]);
    const around = certificate({ ...rootRecipe, issuer: 'middle', by: keys.middle });
    assert.deepEqual(cost(leaf, [middle, around], [stranger]), [0, 0]);
  });

  test('one signature for a path that is forged below what is trusted, however long it is', () => {
    assert.deepEqual(
      cost(certificate({ ...leafRecipe, issuer: 'root', by: keys.other }), [], [root]),
      [0, 1],
    );
    assert.deepEqual(cost(own, forged(1), [root]), [0, 1]);
    assert.deepEqual(cost(own, [...forged(1), ...clones(15)], [root]), [0, 1]);
  });

  test('one more for its own certificate below a true CA', () => {
    assert.deepEqual(cost(own, [middle], [root]), [0, 2]);
  });

  test('8 signatures at most, whatever is sent: a path behind them is not found', () => {
    assert.deepEqual(cost(own, forged(16), [root]), [0, 8]);
    assert.deepEqual(cost(own, clones(16, 'root', keys.root), [root]), [0, 8]);
    assert.deepEqual(cost(leaf, [...forged(6), middle], [root]), [3, 8]);
    assert.deepEqual(cost(leaf, [...forged(7), middle], [root]), [0, 8]);
  });

  test('nothing with more than 16 certificates beside its own', () => {
    const strangers = Array.from({ length: 16 }, (_, i) =>
      certificate({ ...rootRecipe, subject: `s${i}`, issuer: `s${i}` }),
    );
    assert.deepEqual(cost(leaf, [...strangers.slice(1), middle], [root]), [3, 2]);
    assert.deepEqual(cost(leaf, [...strangers, middle], [root]), [0, 0]);
  });

  test('an honest path costs its own signatures, and its clones none', () => {
    assert.deepEqual(cost(leaf, [...clones(15), middle], [root]), [3, 2]);
    const longest = Array.from({ length: 6 }, (_, i) =>
      certificate({ ...rootRecipe, subject: String(i + 1), issuer: i === 0 ? 'root' : String(i) }),
    );
    const below = certificate({ ...leafRecipe, issuer: '6', by: keys.root });
    assert.deepEqual(cost(below, longest, [root]), [8, 7]);
  });
});

/** A CA by what its certificates share. Two of them may have one name. */
const authorities = ['a', 'b', 'b', 'c', 'c'].map((name, i) => ({
  name,
  key: sampleKey(),
  tellsKeys: i % 2 === 0,
}));
type Authority = (typeof authorities)[number];

function issued(
  subject: string,
  key: Authority['key'],
  issuer: Authority,
  pathLength?: number | null,
): Certificate {
  const identifiers = [
    extension(extensionOids.subjectKeyIdentifier, encodeSubjectKeyIdentifier(keyIdentifier(key.spki))),
    extension(
      extensionOids.authorityKeyIdentifier,
      encodeAuthorityKeyIdentifier(keyIdentifier(issuer.key.spki)),
    ),
  ];
  const constraints = pathLength === undefined ? [] : [ca(pathLength ?? undefined)];
  const extensions = [...constraints, ...(issuer.tellsKeys ? identifiers : [])];
  return certificate({ subject, issuer: issuer.name, key, by: issuer.key, extensions });
}

const anyAuthority = fc.constantFrom(...authorities);
const anyCa = fc
  .tuple(anyAuthority, anyAuthority, fc.constantFrom(null, null, null, 0, 1))
  .map(([of, by, pathLength]) => issued(of.name, of.key, by, pathLength));
const anyLeaf = anyAuthority.map((by) => issued('leaf', keys.leaf, by));
const differing = (length: { minLength: number; maxLength: number }) =>
  fc.uniqueArray(anyCa, { ...length, selector: ({ der }) => der.toHex() });

suite('whatever CAs certify each other, two of one name among them', () => {
  const isIssuer = (below: Certificate, issuer: Certificate) =>
    Buffer.compare(below.issuerDer, issuer.subjectDer) === 0 &&
    verifyCertificateSignature(below, issuer.spki);

  /** RFC 5280 section 6 as it is written, for one path: the leaf first. */
  function isPath(path: readonly Certificate[]): boolean {
    return path.every((each, i) => {
      if (i === 0) return true;
      const value = each.extensions.find(({ oid }) => oid === extensionOids.basicConstraints)!.value;
      const { pathLength = Infinity } = parseBasicConstraints(value);
      const between = path.slice(1, i).filter((one) => Buffer.compare(one.issuerDer, one.subjectDer) !== 0);
      return isIssuer(path[i - 1]!, each) && between.length <= pathLength;
    });
  }

  /** The shortest path there is: every sequence of them is tried. */
  function shortest(
    below: readonly Certificate[],
    between: readonly Certificate[],
    trusted: readonly Certificate[],
  ): number {
    if (trusted.some((anchor) => isPath([...below, anchor]))) return below.length + 1;
    const lengths = between.map((each) =>
      isPath([...below, each])
        ? shortest(
            [...below, each],
            between.filter((one) => one !== each),
            trusted,
          )
        : Infinity,
    );
    return Math.min(Infinity, ...lengths);
  }

  test('the shortest path is found wherever there is one, and no other', () => {
    const found = { none: 0, some: 0 };
    fc.assert(
      fc.property(
        anyLeaf,
        differing({ minLength: 0, maxLength: 5 }),
        differing({ minLength: 1, maxLength: 2 }),
        (below, sent, trusted) => {
          const between = sent.filter(({ der }) =>
            trusted.every((each) => Buffer.compare(each.der, der) !== 0),
          );
          const expected = shortest([below], between, trusted);
          verified.mock.resetCalls();
          const path = findCertificationPath(below, sent, trusted);
          // Of several thousand of them one has a path behind the last signature.
          fc.pre(path !== null || verified.mock.callCount() < 8);
          assert.equal(path?.length ?? Infinity, expected);
          if (path !== null) assert.ok(isPath(path) && trusted.includes(path.at(-1)!));
          found[path === null ? 'none' : 'some'] += 1;
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(found.some > 50 && found.none > 20, JSON.stringify(found));
  });
});
