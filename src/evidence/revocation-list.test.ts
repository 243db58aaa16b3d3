import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import {
  assembleSigned,
  type Certificate,
  encodeKeyUsage,
  encodeName,
  encodeRevokedCertificates,
  encodeTbsCertList,
  extensionOids,
  matchingKey,
  type Name,
  parseCertificate,
} from '#x509';
import { findAnchoredPath } from './anchored-path.ts';
import type { IssuerLists } from './appraisal.ts';
import {
  ca,
  day,
  extension,
  issue,
  keyPair,
  type KeyPair,
  named,
  never,
  now,
  signedBy,
} from './evidence.fixture.ts';
import { issuerListsOf, newestLists, parseRevocationList, recordableLists } from './revocation-list.ts';
import { statusObjections } from './status-objections.ts';

const keys = { root: keyPair(), middle: keyPair(), leaf: keyPair(), other: keyPair() };
const names = { root: named({ commonName: 'Maker' }), middle: named({ commonName: 'Maker 1' }) };
const certified = (
  subject: Name,
  key: KeyPair,
  issuer: Name,
  by: KeyPair,
  serialNumber: string,
  more = [ca],
) =>
  parseCertificate(
    issue({ subject, issuer, key, by, extensions: more, serialNumber, notBefore: 0, notAfter: never }),
  );
const root = certified(names.root, keys.root, names.root, keys.root, '01');
const middle = certified(names.middle, keys.middle, names.root, keys.root, '0a');
const leaf = certified(named({ commonName: 'TPM' }), keys.leaf, names.middle, keys.middle, '0b', []);
const path = [leaf, middle, root];

interface Listing {
  readonly issuer: Name;
  readonly by: KeyPair;
  readonly revoked: readonly string[];
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

function crl(changed: Partial<Listing> = {}): Uint8Array {
  const { issuer, by, revoked, thisUpdate, nextUpdate } = {
    issuer: names.middle,
    by: keys.middle,
    revoked: ['0b'],
    thisUpdate: now - day,
    nextUpdate: now + day,
    ...changed,
  };
  const entries = revoked.map((serialNumber) => ({ serialNumber, revokedAt: now - day, reason: 1 }));
  const tbs = encodeTbsCertList({
    signatureAlgorithm: by.algorithm,
    issuer: encodeName(issuer),
    thisUpdate,
    nextUpdate,
    revoked: entries.length === 0 ? [] : [encodeRevokedCertificates(entries)],
    extensions: [],
  });
  return assembleSigned(tbs, by.algorithm, signedBy(by, tbs));
}

const ofRoot = (changed: Partial<Listing> = {}) =>
  crl({ issuer: names.root, by: keys.root, revoked: [], ...changed });
const base64 = (each: { der: Uint8Array }) => Buffer.from(each.der).toString('base64');
const anchors = {
  name: 'makers',
  format: 'tpm',
  level: 'discrete-tpm',
  roots: [base64(root)],
  intermediates: [base64(middle)],
} as const;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function listed(lists: readonly Uint8Array[], sent = [leaf], intermediates = [middle]): IssuerLists {
  const parsed = lists.map((each) => parseRevocationList(each, [root, middle]));
  return issuerListsOf(parsed, intermediates, { certificates: sent.map(base64) });
}

const checks = (
  status: IssuerLists | null,
  maximumAge?: number,
  at = now,
  on: readonly Certificate[] | null = path,
) => statusObjections(status, on, maximumAge, at).map(({ check }) => check);

suite('lists of revoked certificates (RFC 5280 section 5)', () => {
  test('say which certificate of the evidence is revoked, and who says so', () => {
    const bytes = crl();
    assert.deepEqual(listed([bytes]), {
      complete: true,
      issuers: [
        {
          list: sha256(bytes),
          signer: sha256(keys.middle.spki),
          issuer: sha256(Buffer.from(matchingKey(names.middle))),
          thisUpdate: now - day,
          nextUpdate: now + day,
          revoked: [{ serialNumber: '0b', certificate: sha256(leaf.der) }],
        },
      ],
    });
  });

  test('a certificate that is listed is refused, one that is not is not', () => {
    assert.deepEqual(checks(listed([crl()])), ['revocation']);
    assert.deepEqual(checks(listed([crl({ revoked: ['0c'] })])), []);
    assert.deepEqual(checks(listed([crl({ revoked: [] })])), []);
  });

  test('so is one of a CA that the device did not send', () => {
    assert.deepEqual(checks(listed([ofRoot({ revoked: ['0a'] })])), ['revocation']);
    assert.deepEqual(checks(listed([ofRoot({ revoked: ['0a'] })], [leaf, middle], [])), ['revocation']);
  });

  for (const spelled of ['MAKER 1', ' Maker  1', 'ｍaker 1']) {
    test(`nobody escapes by a name that is spelled otherwise: ${JSON.stringify(spelled)}`, () => {
      const forged = named({ commonName: spelled });
      const below = certified(named({ commonName: 'TPM' }), keys.leaf, forged, keys.middle, '77', []);
      const on = findAnchoredPath('tpm', [below], [anchors])?.path;
      assert.equal(on?.length, 3);
      assert.deepEqual(checks(listed([ofRoot({ revoked: ['0a'] })], [below]), undefined, now, on), [
        'revocation',
      ]);
      assert.deepEqual(checks(listed([crl({ revoked: ['77'] })], [below]), undefined, now, on), [
        'revocation',
      ]);
      assert.deepEqual(checks(listed([crl(), ofRoot()], [below]), (2 * day) / 1000, now, on), []);
    });
  }

  test('a list whose issuer writes its name otherwise than its certificate does is its own', () => {
    const bytes = crl({ issuer: named({ commonName: 'MAKER 1' }) });
    assert.deepEqual(checks(listed([bytes])), ['revocation']);
  });

  test('older entries have the name by its octets', () => {
    const { issuers, complete } = listed([crl()]);
    const older = issuers.map((each) => ({ ...each, issuer: sha256(middle.subjectDer) }));
    assert.deepEqual(checks({ issuers: older, complete }), ['revocation']);
    const others = issuers.map((each) => ({ ...each, issuer: sha256(root.subjectDer) }));
    assert.deepEqual(checks({ issuers: others, complete }), []);
  });

  test('a list that ended refuses what it lists all the same', () => {
    assert.deepEqual(checks(listed([crl({ nextUpdate: now - 1000 })])), ['revocation']);
  });

  test('the same serial number of another issuer is another certificate', () => {
    assert.deepEqual(checks(listed([ofRoot({ revoked: ['0b'] })])), []);
  });

  test('what is not on the path counts for nothing', () => {
    const stray = certified(named({ commonName: 'x' }), keys.other, names.middle, keys.middle, '0d', []);
    assert.deepEqual(checks(listed([crl({ revoked: ['0d'] })], [leaf, stray])), []);
    assert.deepEqual(checks(listed([crl()]), 60, now, null), []);
  });

  test('a list of the same name by another key on the path is none of that issuer', () => {
    const renamed = certified(names.middle, keys.other, names.root, keys.root, '0e');
    const below = certified(named({ commonName: 'TPM' }), keys.leaf, names.middle, keys.other, '0b', []);
    const status = listed([crl()], [below], [renamed]);
    assert.equal(status.issuers[0]?.revoked.length, 1);
    assert.deepEqual(checks(status, undefined, now, [below, renamed, root]), []);
  });

  for (const [what, lists, at, expected] of [
    ['each issuer has one', [crl({ revoked: [] }), ofRoot()], now, []],
    ['none of the root', [crl({ revoked: [] })], now, ['revocation-list']],
    ['none at all', [], now, ['revocation-list', 'revocation-list']],
    ['one that ended', [crl({ revoked: [], nextUpdate: now - 1000 }), ofRoot()], now, ['revocation-list']],
    [
      'one that is too old',
      [crl({ revoked: [], thisUpdate: now - 3 * day }), ofRoot()],
      now,
      ['revocation-list'],
    ],
    [
      'one from the future',
      [crl({ revoked: [], thisUpdate: now + 601_000, nextUpdate: now + 4 * day }), ofRoot()],
      now,
      ['revocation-list'],
    ],
    [
      'one of a clock that is some minutes ahead',
      [crl({ revoked: [], thisUpdate: now + 600_000 }), ofRoot()],
      now,
      [],
    ],
    [
      'an old one and a new one',
      [crl({ revoked: [], thisUpdate: now - 3 * day }), crl({ revoked: [] }), ofRoot()],
      now,
      [],
    ],
  ] as const) {
    test(`where lists must not be old: ${what}`, () => {
      assert.deepEqual(checks(listed(lists), (2 * day) / 1000, at), expected);
    });
  }

  test('where lists may be of any time, one of each issuer must be there', () => {
    const ended = crl({ revoked: [], thisUpdate: 0, nextUpdate: 1000 });
    assert.deepEqual(checks(listed([ended, ofRoot({ thisUpdate: now + day })]), Infinity), []);
    assert.deepEqual(checks(listed([ended]), Infinity), ['revocation-list']);
    assert.deepEqual(checks(null, Infinity), ['revocation-list']);
  });

  test('where no list is there, one that is asked for is missed', () => {
    assert.deepEqual(checks(null, 60), ['revocation-list']);
    assert.deepEqual(checks(null), []);
  });

  test('of several of one issuer and key the newest counts, with what older ones list', () => {
    const parsed = [
      crl({ revoked: ['0c'], thisUpdate: now - 1000 }),
      ...Array.from({ length: 20 }, (_, at) => crl({ revoked: [], thisUpdate: now - at * day })),
      crl({ revoked: ['0b'], thisUpdate: now - 9 * day }),
      ofRoot({ revoked: ['0a'] }),
      ofRoot({ revoked: ['0a', '0d'], thisUpdate: now }),
    ].map((each) => parseRevocationList(each, [root, middle]));
    const newest = newestLists(parsed);
    assert.deepEqual(
      newest.map(({ thisUpdate, serialNumbers }) => [thisUpdate, [...serialNumbers].toSorted()]),
      [
        [now, ['0b', '0c']],
        [now, ['0a', '0d']],
      ],
    );
    const status = issuerListsOf(newest, [middle], { certificates: [leaf].map(base64) });
    assert.equal(status.complete, true);
    assert.deepEqual(checks(status), ['revocation', 'revocation']);
  });

  test('what one lists is not listed by those of another key or another issuer', () => {
    const cas = [
      middle,
      certified(names.middle, keys.other, names.root, keys.root, '0e'),
      certified(names.root, keys.middle, names.root, keys.root, '0f'),
    ];
    const parsed = [
      crl({ thisUpdate: now - 2 * day }),
      crl({ by: keys.other, revoked: [] }),
      crl({ issuer: names.root, revoked: [] }),
    ].map((each) => parseRevocationList(each, cas));
    assert.deepEqual(
      newestLists(parsed).map(({ serialNumbers }) => [...serialNumbers]),
      [['0b'], [], []],
    );
  });

  test('so many lists of one name by other keys, as nobody has, are not passed over', () => {
    const cas = Array.from({ length: 17 }, () => {
      const key = keyPair();
      return { key, certificate: certified(names.middle, key, names.root, keys.root, '0e') };
    });
    const parsed = cas.map(({ key, certificate }) =>
      parseRevocationList(crl({ by: key, revoked: [] }), [certificate]),
    );
    const recorded = (lists: typeof parsed) =>
      recordableLists(issuerListsOf(lists, [], { certificates: [leaf].map(base64) }));
    assert.deepEqual(checks(recorded(parsed)), ['revocation-list']);
    assert.deepEqual(checks(recorded(parsed.slice(1))), []);
    // Whoever records nothing is told all.
    assert.deepEqual(checks(issuerListsOf(parsed, [], { certificates: [leaf].map(base64) })), []);
  });

  test('what a client sends beside the path does not fill the log', () => {
    const stray = Array.from({ length: 50 }, () =>
      certified(named({ commonName: 'x' }), keys.other, names.middle, keys.other, '0b', []),
    );
    const status = recordableLists(listed([crl()], [leaf, ...stray]));
    assert.equal(status.complete, false);
    assert.ok(JSON.stringify(status).length < 2000);
    assert.ok(checks(status).includes('revocation-list'));
    assert.deepEqual(checks(recordableLists(listed([crl()], [leaf, ...stray.slice(0, 31)]))), ['revocation']);
  });

  test('nobody believes a list that no configured CA has signed', () => {
    const noSigner = [extension(extensionOids.keyUsage, encodeKeyUsage(['keyCertSign'])), ca];
    const withoutUsage = certified(names.middle, keys.middle, names.root, keys.root, '0a', noSigner);
    const noCa = certified(names.middle, keys.middle, names.root, keys.root, '0a', []);
    const flipped = crl();
    flipped[flipped.length - 1]! ^= 1;
    for (const [bytes, cas] of [
      [crl(), [root]],
      [crl({ by: keys.other }), [root, middle]],
      [crl({ issuer: names.root }), [root, middle]],
      [crl(), [withoutUsage]],
      [crl(), [noCa]],
      [flipped, [root, middle]],
    ] as const) {
      assert.throws(
        () => parseRevocationList(bytes, cas),
        (error) => isSallyportError(error, 'bad-signature'),
      );
    }
  });

  test('arbitrary octets, and changed ones, give a typed error', () => {
    const good = crl();
    const changed = fc
      .tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }))
      .map(([at, by]) => good.with(at, good[at]! ^ by));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), changed), (bytes) => {
        assert.throws(
          () => parseRevocationList(bytes, [root, middle]),
          (error) => isSallyportError(error, 'malformed', 'unsupported', 'too-large', 'bad-signature'),
        );
      }),
    );
  });
});
