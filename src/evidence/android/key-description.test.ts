import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { der } from '#x509';
import { nonce } from '../evidence.fixture.ts';
import { parseKeyDescription } from './key-description.ts';
import {
  elementsOf,
  hardwareEnforced,
  keyDescription,
  rootOfTrust,
  tagged,
  text,
  withHardware,
} from './key-description.fixture.ts';

test('KeyDescription: what is read of it, and of hardwareEnforced alone', () => {
  assert.deepEqual(parseKeyDescription(keyDescription()), {
    attestationVersion: 300,
    attestationSecurityLevel: 'tee',
    keyMintVersion: 301,
    keyMintSecurityLevel: 'tee',
    attestationChallenge: new Uint8Array(nonce.toBeSigned),
    tagsInOrder: true,
    hardwareEnforced: {
      origin: 'generated',
      purposes: ['sign', 'verify'],
      rootOfTrust: {
        verifiedBootKey: 'ab'.repeat(32),
        deviceLocked: true,
        verifiedBootState: 'verified',
        verifiedBootHash: 'cd'.repeat(32),
      },
      osVersion: 160_000,
      osPatchLevel: 202_608,
      vendorPatchLevel: 20_260_805,
      bootPatchLevel: 20_260_801,
      brand: 'google',
      device: 'caiman',
      product: 'caiman_beta',
      manufacturer: 'Google',
      model: 'Pixel 9 Pro',
      serial: 'SN-1',
      imei: '351163520096208',
      secondImei: '351163520096216',
      meid: 'A0000000002329',
    },
  });
});

test('KeyDescription: what software enforces is nothing that we know of the device', () => {
  const swapped = keyDescription({ 6: der.sequence(...elementsOf(hardwareEnforced)), 7: der.sequence() });
  const { hardwareEnforced: read } = parseKeyDescription(swapped);
  assert.deepEqual(read.purposes, []);
  const { purposes: _, ...others } = read;
  for (const [name, value] of Object.entries(others)) assert.equal(value, null, name);
});

test('KeyDescription: tags that do not ascend are read, and told', () => {
  const backwards = der.sequence(...elementsOf(hardwareEnforced).toReversed());
  for (const field of [6, 7]) {
    assert.equal(parseKeyDescription(keyDescription({ [field]: backwards })).tagsInOrder, false);
  }
});

test('KeyDescription: unknown tags are passed over, whatever is in them', () => {
  const description = parseKeyDescription(withHardware({ 303: Uint8Array.of(0xff), 16_383: der.null() }));
  assert.deepEqual(description, parseKeyDescription(keyDescription()));
});

test('KeyDescription: a patch level that is no date is none', () => {
  for (const level of [0, 202_600, 202_613, 2026, 2_026_081, 202_608_051]) {
    const { hardwareEnforced: read } = parseKeyDescription(withHardware({ 706: der.integer(level) }));
    assert.equal(read.osPatchLevel, null, String(level));
  }
});

test('RootOfTrust: any octet but 00 is true, and the hash may be missing', () => {
  for (const [locked, expected] of [
    [0, false],
    [1, true],
    [0xff, true],
  ] as const) {
    const { hardwareEnforced: read } = parseKeyDescription(withHardware({ 704: rootOfTrust({ locked }) }));
    assert.equal(read.rootOfTrust?.deviceLocked, expected);
  }
  const keymaster2 = der.sequence(text('key'), der.boolean(true), der.enumerated(0));
  assert.equal(
    parseKeyDescription(withHardware({ 704: keymaster2 })).hardwareEnforced.rootOfTrust?.verifiedBootHash,
    null,
  );
});

suite('KeyDescription: refused', () => {
  const lists = elementsOf(hardwareEnforced);
  const hardware = (...elements: readonly Uint8Array[]): Uint8Array =>
    keyDescription({ 7: der.sequence(...elements) });
  const withLength = (...octets: number[]): Uint8Array =>
    hardware(Uint8Array.of(0xbf, 0x85, 0x3e, ...octets));
  const refused: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array()],
    ['octets after its end', Buffer.concat([keyDescription(), der.null()])],
    ['another type', der.set(...lists)],
    ['seven fields', der.sequence(...[0, 1, 2, 3, 4, 5, 6].map(() => der.integer(1)))],
    ['nine fields', keyDescription({ 8: der.null() })],
    ['a version that is no INTEGER', keyDescription({ 0: der.enumerated(300) })],
    ['a negative version', keyDescription({ 0: der.integer(-1) })],
    ['an unknown security level', keyDescription({ 1: der.enumerated(3) })],
    ['an unknown security level of KeyMint', keyDescription({ 3: der.enumerated(3) })],
    ['a challenge that is no OCTET STRING', keyDescription({ 4: der.utf8String('challenge') })],
    ['a uniqueId that is no OCTET STRING', keyDescription({ 5: der.null() })],
    ['a list that is no SEQUENCE', keyDescription({ 7: der.set(...lists) })],
    ['the same tag twice', hardware(...lists, tagged(702, der.integer(2)))],
    ['the same tag twice where software enforces', keyDescription({ 6: der.sequence(...lists, ...lists) })],
    ['an element without a tag', hardware(...lists, der.null())],
    ['two elements in a tag', withHardware({ 702: Buffer.concat([der.integer(0), der.integer(0)]) })],
    ['an origin of another type', withHardware({ 702: der.enumerated(0) })],
    ['an unknown origin', withHardware({ 702: der.integer(5) })],
    ['purposes that are no SET', withHardware({ 1: der.sequence(der.integer(2)) })],
    ['an INTEGER that is not minimal', withHardware({ 706: Uint8Array.of(2, 2, 0, 1) })],
    ['text that is no UTF-8', withHardware({ 713: der.octetString(Uint8Array.of(0xc3)) })],
    ['text with a control character', withHardware({ 713: text('SN\n1') })],
    ['empty text', withHardware({ 713: text('') })],
    ['text of 257 octets', withHardware({ 713: text('x'.repeat(257)) })],
    ['a RootOfTrust of two fields', withHardware({ 704: der.sequence(text('key'), der.boolean(true)) })],
    ['a RootOfTrust of five fields', withHardware({ 704: longRootOfTrust() })],
    ['a deviceLocked that is constructed', withHardware({ 704: wrongLock(Uint8Array.of(0x21, 1, 1)) })],
    ['a deviceLocked of two octets', withHardware({ 704: wrongLock(Uint8Array.of(1, 2, 0, 1)) })],
    ['a deviceLocked of another type', withHardware({ 704: wrongLock(der.integer(1)) })],
    ['an unknown boot state', withHardware({ 704: rootOfTrust({ state: 4 }) })],
    ['an indefinite length', withLength(0x80, 2, 1, 0, 0, 0)],
    ['a length that is not minimal', withLength(0x81, 3, 2, 1, 0)],
    [
      'a length of two octets that is not minimal',
      hardware(...lists, Uint8Array.of(0xbf, 0x82, 0x2f, 0x82, 0, 0x90), new Uint8Array(0x90)),
    ],
    ['a length of three octets', withLength(0x83, 0, 0, 3, 2, 1, 0)],
    ['an element longer than its list', withLength(4, 2, 1, 0)],
    ['an element that ends in its tag', hardware(Uint8Array.of(0xbf, 0x85))],
    ['a tag number in a form too long', hardware(Uint8Array.of(0xbf, 30, 2, 5, 0))],
    ['a tag number with a leading zero', hardware(Uint8Array.of(0xbf, 0x80, 0x7f, 2, 5, 0))],
    ['a tag number of four octets', hardware(Uint8Array.of(0xbf, 0x81, 0x81, 0x81, 1, 2, 5, 0))],
  ];
  for (const [what, bytes] of refused) {
    test(what, () => {
      assert.throws(
        () => parseKeyDescription(bytes),
        (error) => isSallyportError(error, 'malformed', 'unsupported', 'too-large'),
      );
    });
  }

  test('a length in more octets than any certificate here has', () => {
    const long = Uint8Array.of(0x83, 1, 0, 0, ...new Uint8Array(65_536));
    const description = der.sequence(Uint8Array.of(0xbf, 0x85, 0x3e, ...long));
    assert.throws(() => parseKeyDescription(description), /above 2\^16/);
  });

  test('an element that is cut off, in its tag or its length', () => {
    for (const octets of [[4], [4, 0x81], [4, 0x82, 1], [0xbf], [0xbf, 0x81]]) {
      assert.throws(() => parseKeyDescription(hardware(Uint8Array.from(octets))), /cut off/, String(octets));
    }
  });

  test('more elements in a list than we read', () => {
    const many = Array.from({ length: 129 }, (_, i) => tagged(1000 + i, der.null()));
    assert.throws(
      () => parseKeyDescription(hardware(...many)),
      (error) => isSallyportError(error, 'too-large'),
    );
  });
});

function longRootOfTrust(): Uint8Array {
  return der.sequence(text('key'), der.boolean(true), der.enumerated(0), text('hash'), text('another'));
}

function wrongLock(deviceLocked: Uint8Array): Uint8Array {
  return der.sequence(text('key'), deviceLocked, der.enumerated(0));
}

suite('KeyDescription: arbitrary octets give a value or a SallyportError', () => {
  function assertTyped(bytes: Uint8Array): void {
    try {
      parseKeyDescription(bytes);
    } catch (error) {
      assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'too-large'), String(error));
    }
  }

  test('any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), assertTyped), { numRuns: 1000 });
  });

  test('a valid one with octets of it changed', () => {
    const valid = keyDescription();
    const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Uint8Array.from(valid);
        for (const [at, octet] of changes) bytes[at] = octet;
        assertTyped(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test('as deep as 8 KiB allow: nothing recurses', () => {
    let nested: Uint8Array = der.null();
    while (nested.length < 8000) nested = tagged(704, nested);
    assertTyped(withHardware({ 800: nested }));
    assertTyped(withHardware({ 704: nested }));
    assertTyped(nested);
  });
});
