import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { extensionOids, oids, readDer } from '#x509';
import { encode, extensionsOfAttribute, read } from './csr-attributes.fixture.ts';
import { hex } from './malformed.fixture.ts';

const commonName = '2.5.4.3';
const organizationalUnitName = '2.5.4.11';

suite('the template (RFC 9908 section 3.4)', () => {
  test("is the section's example, but for an extKeyUsage whose value is the client's", () => {
    const bytes = encode({
      subject: [
        { type: commonName, value: null },
        { type: organizationalUnitName, value: 'myDept' },
        { type: organizationalUnitName, value: 'myGroup' },
      ],
      subjectAltName: [
        { kind: 'dns', value: 'www.myServer.com' },
        { kind: 'ip', value: null },
      ],
      keyUsage: ['digitalSignature', 'keyAgreement'],
    });
    const last = [...readDer(bytes).sequence('CsrAttrs')].at(-1);
    assert.deepEqual(
      last?.der,
      hex(
        [
          '30 81 9f  06 0b 2a 86 48 86 f7 0d 01 09 10 02 3d  31 81 8f  30 81 8c',
          '02 01 00',
          '30 2c  31 07 30 05 06 03 55 04 03',
          '31 0f 30 0d 06 03 55 04 0b 0c 06 6d 79 44 65 70 74',
          '31 10 30 0e 06 03 55 04 0b 0c 07 6d 79 47 72 6f 75 70',
          'a0 15  30 13 06 07 2a 86 48 ce 3d 02 01 06 08 2a 86 48 ce 3d 03 01 07',
          'a1 42  30 40 06 0b 2a 86 48 86 f7 0d 01 09 10 02 3e  31 31 30 2f',
          '30 0e 06 03 55 1d 0f 01 01 ff 04 04 03 02 03 88',
          '30 1d 06 03 55 1d 11 04 16 30 14 82 10 77 77 77 2e 6d 79 53 65 72 76 65 72 2e 63 6f 6d 87 00',
        ].join(' '),
      ),
    );
  });

  test('is of version 1, without a subject and without attributes where nothing is demanded of them', () => {
    const { template } = read();
    assert.equal(template.version, 0);
    assert.equal(template.subject, null);
    assert.deepEqual(template.attributes, []);
  });

  test("has the challengePassword too, whose value is the client's: beside a template nothing is read", () => {
    const { oids: bare, template } = read({ challengePassword: true });
    assert.ok(bare.includes(oids.challengePassword));
    assert.deepEqual(template.attributes, [{ type: oids.challengePassword, values: [hex('13 00')] }]);
    assert.ok(!read().oids.includes(oids.challengePassword));
  });

  test('has id-ExtensionReq where every value is there, id-aa-extensionReqTemplate where one is not; never both', () => {
    const whole = read({ subjectAltName: [{ kind: 'dns', value: 'a' }], keyUsage: ['keyAgreement'] });
    assert.deepEqual(
      whole.template.attributes.map(({ type }) => type),
      [oids.extensionRequest],
    );
    const partial = read({ subjectAltName: [{ kind: 'dns', value: null }], keyUsage: ['keyAgreement'] });
    assert.deepEqual(
      partial.template.attributes.map(({ type }) => type),
      [oids.extensionReqTemplate],
    );
  });

  for (const [kind, empty] of [
    ['email', '81 00'],
    ['dns', '82 00'],
    ['uri', '86 00'],
    ['ip', '87 00'],
  ] as const) {
    test(`a ${kind} name that the client fills in is an empty one, and the extension a bare OID to older clients`, () => {
      const { oids: bare, attributes, template } = read({ subjectAltName: [{ kind, value: null }] });
      const [extension] = extensionsOfAttribute(template.attributes, oids.extensionReqTemplate) ?? [];
      assert.deepEqual(extension?.value, hex(`30 02 ${empty}`));
      assert.ok(bare.includes(extensionOids.subjectAltName));
      assert.equal(extensionsOfAttribute(attributes, oids.extensionRequest), null);
    });
  }
});
