import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Template } from '#ca';
import { buildName, der, encodeSubjectAltName, extensionOids, type GeneralName, oids } from '#x509';
import type { PresenterObservation, RequestObservation } from './observations.ts';
import { asOrdered, requestedNames } from './requested-names.ts';

const name = (value: string) => buildName([{ type: 'commonName', value }]);
const dns = (value: string): GeneralName[] => [{ kind: 'dns', value }];

const keyUsage = { oid: extensionOids.keyUsage, critical: true, value: 'AwIHgA==' };
const san = {
  oid: extensionOids.subjectAltName,
  critical: false,
  value: Buffer.from(encodeSubjectAltName(dns('asked.example.org'))).toString('base64'),
};
const asked: RequestObservation = {
  subject: name('asked'),
  subjectAltName: dns('asked.example.org'),
  extensions: [san, keyUsage],
  changeSubjectName: null,
  spki: '',
  possession: true,
  channelBinding: 'absent',
};
const empty: RequestObservation = { ...asked, subject: [], subjectAltName: [], extensions: [keyUsage] };
// Of the template and of the certificate nothing else is looked at.
const template = (omittedNames: 'refused' | 'kept') =>
  ({ renewal: { key: 'any', omittedNames, changeSubjectName: true } }) as Template;
const est = { protocol: 'est' } as const;
const scep = { protocol: 'scep' } as const;
const current = {
  subject: name('current'),
  subjectAltName: dns('current.example.org'),
} as unknown as PresenterObservation;

function namesOf(
  request: RequestObservation,
  omittedNames: 'refused' | 'kept',
  renewed: PresenterObservation | null,
) {
  const { subject, subjectAltName } = requestedNames(request, template(omittedNames), renewed, est);
  return { subject, subjectAltName };
}

describe('requestedNames', () => {
  test('of a first enrollment are those of the request, whatever else it says', () => {
    const changing = {
      ...asked,
      changeSubjectName: { subject: name('new'), subjectAltName: dns('new.example.org') },
    };
    for (const omittedNames of ['refused', 'kept'] as const) {
      assert.equal(requestedNames(changing, template(omittedNames), null, est), changing);
      assert.deepEqual(namesOf(empty, omittedNames, null), { subject: [], subjectAltName: [] });
    }
  });

  test('of a renewal are those of the request', () => {
    for (const omittedNames of ['refused', 'kept'] as const) {
      assert.deepEqual(namesOf(asked, omittedNames, current), {
        subject: asked.subject,
        subjectAltName: asked.subjectAltName,
      });
    }
  });

  test('of a renewal that names nothing are none, or those of the certificate where they are kept', () => {
    assert.deepEqual(namesOf(empty, 'refused', current), { subject: [], subjectAltName: [] });
    assert.deepEqual(namesOf(empty, 'kept', current), {
      subject: current.subject,
      subjectAltName: current.subjectAltName,
    });
  });

  test('of a renewal by SCEP that names nothing are those of the certificate, whatever the template says', () => {
    const { subject, subjectAltName } = requestedNames(empty, template('refused'), current, scep);
    assert.deepEqual(
      { subject, subjectAltName },
      {
        subject: current.subject,
        subjectAltName: current.subjectAltName,
      },
    );
    assert.deepEqual(requestedNames(empty, template('refused'), null, scep), empty);
  });

  test('subject and alternative names are kept each by itself', () => {
    const { subject, subjectAltName } = asked;
    assert.deepEqual(namesOf({ ...asked, subject: [] }, 'kept', current), {
      subject: current.subject,
      subjectAltName,
    });
    assert.deepEqual(namesOf({ ...asked, subjectAltName: [] }, 'kept', current), {
      subject,
      subjectAltName: current.subjectAltName,
    });
  });

  test('ChangeSubjectName goes before the request and before what is kept, part by part', () => {
    const changed = { subject: name('new'), subjectAltName: dns('new.example.org') };
    for (const request of [asked, empty]) {
      for (const omittedNames of ['refused', 'kept'] as const) {
        assert.deepEqual(namesOf({ ...request, changeSubjectName: changed }, omittedNames, current), changed);
      }
    }
    assert.deepEqual(
      namesOf({ ...asked, changeSubjectName: { ...changed, subject: null } }, 'refused', current),
      { subject: asked.subject, subjectAltName: changed.subjectAltName },
    );
    assert.deepEqual(
      namesOf({ ...empty, changeSubjectName: { ...changed, subjectAltName: null } }, 'kept', current),
      { subject: changed.subject, subjectAltName: current.subjectAltName },
    );
  });

  test('of a renewal the SAN is judged as names, not as an extension beside them; others stay', () => {
    const change = { subject: null, subjectAltName: dns('new.example.org') };
    for (const changeSubjectName of [null, change]) {
      const { extensions } = requestedNames(
        { ...asked, changeSubjectName },
        template('refused'),
        current,
        est,
      );
      assert.deepEqual(extensions, [keyUsage]);
    }
    assert.deepEqual(requestedNames(asked, template('refused'), null, est).extensions, [san, keyUsage]);
  });

  test('of a renewal an extension that its certificate has asks for nothing; a first enrollment asks for it', () => {
    const repeated = { ...keyUsage, oid: extensionOids.extendedKeyUsage, presented: true as const };
    const request = { ...asked, extensions: [repeated, keyUsage] };
    assert.deepEqual(requestedNames(request, template('refused'), current, est).extensions, [keyUsage]);
    assert.deepEqual(requestedNames(request, template('refused'), null, est).extensions, [
      repeated,
      keyUsage,
    ]);
  });
});

describe('a request for an order of a hardware-module', () => {
  const type = '1.3.6.1.4.1.32473.7';
  const module = (octets: Uint8Array): GeneralName => {
    const value = der.sequence(der.oid(type), der.octetString(octets)).toBase64();
    return { kind: 'otherName', type: oids.hardwareModuleName, value };
  };
  const askedBeside = (octets: Uint8Array, value: string) => {
    const subjectAltName = [module(octets)];
    const order = { identifiers: [{ type: 'hardware-module', value: `${value}/${type}` } as const] };
    return asOrdered({ ...asked, subjectAltName }, { protocol: 'acme' }, order)!.subjectAltName.length;
  };

  test('may name it, octet for octet, and so asks for nothing', () => {
    for (const text of ['SN-7', 'STM :ab12:4d5', 'Ger\u00e4t-7']) {
      assert.equal(askedBeside(Buffer.from(text), text), 0, text);
      assert.equal(askedBeside(Buffer.from(`${text} `), text), 1, text);
    }
    assert.equal(askedBeside(Buffer.of(0, 0xff), 'hex:00ff'), 0);
    assert.equal(askedBeside(Buffer.from('hex:00ff'), 'hex:00ff'), 1);
  });
});
