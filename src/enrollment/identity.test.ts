import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildName } from '#x509';
import {
  digest,
  hardwareModule,
  idevid,
  makerCa,
  presenterOf,
  ra,
  raCertificate,
  referencesWith,
} from './identity.fixture.ts';
import { identityOf, namedDevice } from './identity.ts';

const references = referencesWith({ maker: idevid, office: ra });

describe('the identity of a client certificate', () => {
  const presenter = presenterOf();

  test('is that whose CA ends its path', () => {
    assert.equal(identityOf(presenter, references), idevid);
  });

  test('is none where nothing was verified: an empty path, or the certificate alone', () => {
    assert.equal(identityOf({ ...presenter, path: [] }, references), null);
    assert.equal(identityOf({ ...presenter, path: presenter.path.slice(0, 1) }, references), null);
  });

  test('is none for the CA itself: it does not stand above itself', () => {
    const path = presenter.path.slice(-1);
    assert.equal(identityOf({ sha256: makerCa, path }, references), null);
  });

  test('is that of a registration authority by the very certificate, and not by one above it', () => {
    assert.equal(identityOf({ sha256: raCertificate, path: [] }, references), ra);
    const above = { ...presenter.path[0]!, sha256: raCertificate };
    const below = { sha256: digest('99'), path: [presenter.path[0]!, above] };
    assert.equal(identityOf(below, references), null);
  });

  test('is that of no manufacturer by the certificate itself', () => {
    const listed = referencesWith({ maker: { ...idevid, certificates: [presenter.sha256] } });
    assert.equal(identityOf(presenter, listed), null);
  });

  test('is the registration authority’s before that of the CA above, in whatever order they are configured', () => {
    const forwarding = { ...presenter, sha256: raCertificate };
    for (const names of [
      { a: idevid, b: ra },
      { a: ra, b: idevid },
    ]) {
      assert.equal(identityOf(forwarding, referencesWith(names)), ra);
    }
  });
});

describe('the device that an identity names', () => {
  const names = (...attributes: (readonly [type: string, value: string])[]) =>
    buildName(attributes.map(([type, value]) => ({ type, value })));
  const empty = names();

  test('is that of the first place of `from` that has anything', () => {
    const serialNumber = names(['serialNumber', 'SN-2']);
    const both = presenterOf({ subject: serialNumber, ...hardwareModule('SN-1') });
    assert.deepEqual(namedDevice(idevid, both, empty), { column: 'serialNumber', value: 'SN-1' });
    const reversed = { ...idevid, from: idevid.from.toReversed() };
    assert.deepEqual(namedDevice(reversed, both, empty), { column: 'serialNumber', value: 'SN-2' });
    const one = presenterOf({ subject: serialNumber });
    assert.deepEqual(namedDevice(idevid, one, empty), { column: 'serialNumber', value: 'SN-2' });
  });

  test('is none where `from` has no place for what is there', () => {
    const presenter = presenterOf({ subject: names(['commonName', 'SN-1'], ['dnQualifier', 'SN-1']) });
    assert.equal(namedDevice(idevid, presenter, names(['serialNumber', 'SN-1'])), null);
  });

  test('is none where the first place cannot be read, though a later one could', () => {
    const subject = names(['serialNumber', 'SN-2']);
    const unread = hardwareModule(null);
    assert.equal(namedDevice(idevid, presenterOf({ subject, ...unread }), empty), null);
    const { subjectAltName } = unread;
    const two = { ...hardwareModule('SN-1'), subjectAltName: [...subjectAltName, ...subjectAltName] };
    assert.equal(namedDevice(idevid, presenterOf({ subject, ...two }), empty), null);
    const blank = hardwareModule('');
    assert.equal(namedDevice(idevid, presenterOf({ subject, ...blank }), empty), null);
  });

  test('is that of a listed hardware type only, and no later place makes up for another one', () => {
    const types = ['1.3.6.1.4.1.32473.7', '1.3.6.1.4.1.32473.70'] as const;
    const limited = { ...idevid, hardwareTypes: [types[0]] };
    const subject = names(['serialNumber', 'SN-1']);
    const of = (type: string) => presenterOf({ subject, ...hardwareModule('SN-1', type) });
    assert.deepEqual(namedDevice(limited, of(types[0]), empty), { column: 'serialNumber', value: 'SN-1' });
    assert.equal(namedDevice(limited, of(types[1]), empty), null);
    assert.equal(namedDevice({ ...limited, hardwareTypes: [] }, of(types[0]), empty), null);
    assert.notEqual(namedDevice({ ...limited, hardwareTypes: [...types] }, of(types[1]), empty), null);
  });

  test('is none where an attribute is there twice, also in one RDN and also with one value', () => {
    const from = ['commonName', 'serialNumber'] as const;
    const identity = { ...idevid, from };
    for (const second of ['device-1', 'device-2']) {
      const subject = names(['commonName', 'device-1'], ['commonName', second], ['serialNumber', 'SN-1']);
      for (const each of [subject, [subject.flat()]]) {
        assert.equal(namedDevice(identity, presenterOf({ subject: each }), empty), null);
        assert.equal(namedDevice({ ...ra, from }, presenterOf(), each), null);
      }
    }
  });

  test('of a registration authority is that of the request, and nothing of its own certificate', () => {
    const own = presenterOf({ subject: names(['commonName', 'ra-1']), ...hardwareModule('SN-1') });
    assert.deepEqual(namedDevice(ra, own, names(['commonName', 'device-1'])), {
      column: 'id',
      value: 'device-1',
    });
    assert.equal(namedDevice(ra, own, empty), null);
    const anywhere = { ...ra, from: ['hardwareModuleName', 'serialNumber', 'commonName'] as const };
    assert.equal(namedDevice(anywhere, own, empty), null);
  });

  test('of any other kind is not that of the request', () => {
    assert.equal(namedDevice(idevid, presenterOf({ subject: empty }), names(['serialNumber', 'SN-1'])), null);
  });
});
