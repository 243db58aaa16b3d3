import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { buildName, type GeneralName, type Name, parseCertificate } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, type CsrSettings, makeKey, renewalCsr } from '../harness/csr.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { TestDevice } from '../harness/test-device.ts';

const organized = [{ organizationName: 'Example' }, { commonName: '{device.id}' }];

/** RFC 7030 section 4.2.2: the names of a renewal "MUST be identical" to those of the certificate, unless ChangeSubjectName asks for others (change-subject-name.test.ts). */
describe('the names of a renewal', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(
      cleanup,
      withTemplates({
        keeping: { renewal: { omittedNames: 'kept' } },
        organized: { subject: organized },
        choosing: { request: { subjectAltName: [{ dns: 'lab.example.org', maximum: 3 }] } },
        'choosing-keeping': {
          request: { subjectAltName: [{ dns: 'lab.example.org', maximum: 3 }] },
          renewal: { omittedNames: 'kept' },
        },
        'same-key': { renewal: { key: 'same' } },
        'new-key': { renewal: { key: 'new' } },
      }),
    );
  });

  let devices = 0;
  const enrolled = (template = 'device') => {
    const id = `laptop-${(devices += 1)}`;
    return TestDevice.enrolled(authority, id, { template, identifiers: identifiersOf(id) });
  };
  const identifiersOf = (id: string) => ({ dnsName: `${id}.example.org`, serialNumber: `S-${id}` });
  /** The same device by another name. */
  const rename = ({ id }: TestDevice, dnsName = `new-${id}.example.org`) =>
    authority.admin.device(id, { identifiers: { ...identifiersOf(id), dnsName } });
  /** With names that its request chose, and an operator approved. */
  async function enrolledFor(template: string, subjectAltName: GeneralName[]): Promise<TestDevice> {
    const device = await TestDevice.unapproved(authority, `laptop-${(devices += 1)}`, { template });
    const csr = csrFor(device.id, device.key, { subjectAltName });
    assert.equal((await device.enroll({ csr })).status, 202);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    await authority.admin.client.perform('approveRequest', { id: items[0]!.id });
    assert.equal((await device.enroll({ csr })).status, 200);
    return device;
  }
  const renewAs = (device: TestDevice, change: Partial<CsrSettings>) =>
    device.renew({ csr: renewalCsr(device.certificate!, device.key, change) });
  const refused = (answer: EstAnswer, ...controls: string[]) =>
    assertRefused(authority, answer, 400, controls);
  const namesOf = (certificate: Uint8Array) => {
    const { subject, subjectAltName } = parseCertificate(certificate);
    return { subject, subjectAltName };
  };
  function assertNamed(answer: EstAnswer, expected: ReturnType<typeof namesOf>): void {
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(namesOf(answer.certificates[0]!), expected);
  }

  const dns = (value: string): GeneralName => ({ kind: 'dns', value });
  const commonName = (value: string, encoding: Name[0][0]['encoding'] = 'utf8'): Name => [
    [{ type: '2.5.4.3', value, encoding }],
  ];

  describe('are those of the certificate:', () => {
    test('identical ones are renewed, and stay', async () => {
      const device = await enrolled();
      const before = namesOf(device.certificate!);
      assert.equal(before.subjectAltName.length, 2);
      assertNamed(await device.renew(), before);
      assertNamed(await device.renew({ key: makeKey() }), before);
    });

    type Case = readonly [
      change: (device: TestDevice, names: ReturnType<typeof namesOf>) => Partial<CsrSettings>,
      ...controls: string[],
    ];
    const foreign = 'request-subject-alt-name';
    const cases: Record<string, Case> = {
      'one alternative name more': [
        (_, { subjectAltName }) => ({ subjectAltName: [...subjectAltName, dns('vpn.example.org')] }),
        'renewal-names',
        foreign,
      ],
      'one alternative name less': [
        (_, { subjectAltName }) => ({ subjectAltName: subjectAltName.slice(1) }),
        'renewal-names',
      ],
      'another in its place': [
        (_, { subjectAltName }) => ({ subjectAltName: [dns('vpn.example.org'), subjectAltName[1]!] }),
        'renewal-names',
        foreign,
      ],
      'an alternative name in another letter case': [
        ({ id }, { subjectAltName }) => ({
          subjectAltName: [dns(`${id.toUpperCase()}.example.org`), subjectAltName[1]!],
        }),
        'renewal-names',
      ],
      'the DNS name as a URI': [
        (_, { subjectAltName }) => ({
          subjectAltName: [{ kind: 'uri', value: String(subjectAltName[0]!.value) }, subjectAltName[1]!],
        }),
        'renewal-names',
        foreign,
      ],
      'no SAN extension': [({ id }) => withoutSan(id), 'renewal-names'],
      'no subject': [() => ({ name: [] }), 'renewal-names'],
      'neither subject nor alternative names': [() => withoutSan(null), 'renewal-names'],
      'the subject in another letter case': [
        ({ id }) => ({ name: commonName(id.toUpperCase()) }),
        'renewal-names',
        'request-subject',
      ],
      'the subject with a space behind': [
        ({ id }) => ({ name: commonName(`${id} `) }),
        'renewal-names',
        'request-subject',
      ],
      'an attribute that is ignored otherwise': [
        ({ id }) => ({ name: [...commonName(id), ...buildName([{ type: 'organizationName', value: 'X' }])] }),
        'renewal-names',
      ],
      'the common name twice': [
        ({ id }) => ({ name: [...commonName(id), ...commonName(id)] }),
        'renewal-names',
      ],
      'the subject as TeletexString': [({ id }) => ({ name: commonName(id, 'teletex') }), 'renewal-names'],
      'the subject as BMPString': [({ id }) => ({ name: commonName(id, 'bmp') }), 'renewal-names'],
      'the subject as UniversalString': [
        ({ id }) => ({ name: commonName(id, 'universal') }),
        'renewal-names',
      ],
      'another device’s subject': [
        () => ({ name: commonName('laptop-1') }),
        'renewal-names',
        'request-subject',
      ],
    };
    for (const [name, [change, ...controls]] of Object.entries(cases)) {
      test(`${name}: refused`, async () => {
        const device = await enrolled();
        await refused(await renewAs(device, change(device, namesOf(device.certificate!))), ...controls);
        assert.equal((await device.renew()).status, 200);
      });
    }

    test('an empty SAN extension is no GeneralNames, and malformed', async () => {
      const device = await enrolled();
      const empty = { oid: '2.5.29.17', critical: false, value: Buffer.from('3000', 'hex') };
      const answer = await renewAs(device, { ...withoutSan(device.id), extensions: [empty] });
      assert.equal(answer.status, 400, answer.text);
      const { outcome, error } = await entryOf(authority, answer);
      assert.deepEqual([outcome, error?.code], ['malformed', 'malformed']);
    });

    test('alternative names in another order are the same', async () => {
      const device = await enrolled();
      const names = namesOf(device.certificate!);
      const subjectAltName = names.subjectAltName.toReversed();
      assertNamed(await renewAs(device, { subjectAltName }), names);
    });

    test('PrintableString instead of UTF8String is the same (RFC 5280 section 7.1)', async () => {
      const device = await enrolled();
      const names = namesOf(device.certificate!);
      // And what is issued is encoded as before.
      assertNamed(await renewAs(device, { name: commonName(device.id, 'printable') }), names);
    });

    const rdns = {
      'RDNs in another order': (name: Name) => name.toReversed(),
      'two RDNs as one': (name: Name) => [name.flat()],
      'one RDN less': (name: Name) => name.slice(1),
    };
    for (const [name, change] of Object.entries(rdns)) {
      test(`${name}: refused`, async () => {
        const device = await TestDevice.expected(authority, `laptop-${(devices += 1)}`, {
          template: 'organized',
          identifiers: {},
        });
        assert.equal((await device.enroll()).status, 200);
        const { subject } = namesOf(device.certificate!);
        assert.equal(subject.length, 2);
        await refused(await renewAs(device, { name: change(subject) }), 'renewal-names');
      });
    }

    test('names that the request chose once: kept as they are, and no other that the template would admit', async () => {
      const chosen = [dns('a.lab.example.org')];
      const device = await enrolledFor('choosing', chosen);
      const names = namesOf(device.certificate!);
      assert.deepEqual(names.subjectAltName, chosen);
      await refused(
        await renewAs(device, { subjectAltName: [...chosen, dns('b.lab.example.org')] }),
        'renewal-names',
      );
      await refused(await renewAs(device, { subjectAltName: [dns('b.lab.example.org')] }), 'renewal-names');
      await refused(await renewAs(device, withoutSan(device.id)), 'renewal-names');
      assertNamed(await device.renew(), names);
    });
  });

  describe('where omittedNames is kept:', () => {
    const omitted: Record<string, (id: string) => Partial<CsrSettings>> = {
      'no subject': () => ({ name: [] }),
      'no SAN extension': (id) => withoutSan(id),
      neither: () => withoutSan(null),
    };
    for (const [name, change] of Object.entries(omitted)) {
      test(`${name}: the names of the certificate stay`, async () => {
        const device = await enrolled('keeping');
        const names = namesOf(device.certificate!);
        assertNamed(await renewAs(device, change(device.id)), names);
      });
    }

    test('names that are said must still be identical', async () => {
      const device = await enrolled('keeping');
      const [first] = namesOf(device.certificate!).subjectAltName;
      await refused(await renewAs(device, { subjectAltName: [first!] }), 'renewal-names');
      await refused(await renewAs(device, { name: commonName(device.id, 'teletex') }), 'renewal-names');
      await refused(
        await renewAs(device, { ...withoutSan(null), name: commonName('laptop-1') }),
        'renewal-names',
        'request-subject',
      );
    });

    test('what the request chose once is kept too', async () => {
      const device = await enrolledFor('choosing-keeping', [dns('a.lab.example.org')]);
      const names = namesOf(device.certificate!);
      assertNamed(await renewAs(device, withoutSan(null)), names);
    });

    test('names of yesterday are not kept once the inventory says others', async () => {
      const device = await enrolled('keeping');
      await rename(device);
      await refused(await renewAs(device, withoutSan(null)), 'renewal-names', 'request-subject-alt-name');
    });
  });

  describe('and its key:', () => {
    test('same: the certified key alone', async () => {
      const device = await enrolled('same-key');
      await refused(await device.renew({ key: makeKey() }), 'renewal-key');
      assert.equal((await device.renew()).status, 200);
    });

    test('new: any but the certified key', async () => {
      const device = await enrolled('new-key');
      await refused(await device.renew(), 'renewal-key');
      assert.equal((await device.renew({ key: makeKey() })).status, 200);
    });

    test('any: both', async () => {
      const device = await enrolled();
      assert.equal((await device.renew()).status, 200);
      assert.equal((await device.renew({ key: makeKey() })).status, 200);
    });

    test('same, with the key of another device', async () => {
      const [device, other] = [await enrolled('same-key'), await enrolled('same-key')];
      await refused(await device.renew({ key: other.key }), 'renewal-key', 'key-unshared');
    });
  });

  describe('with and without a label, for the default template, alike:', () => {
    for (const label of ['device', '']) {
      const path = label === '' ? '/simplereenroll' : `/${label}/simplereenroll`;

      test(`${path}: the same names are renewed`, async () => {
        const device = await enrolled();
        assertNamed(await device.renew({ label }), namesOf(device.certificate!));
      });

      test(`${path}: a revoked certificate is refused`, async () => {
        const device = await enrolled();
        const { items } = await authority.admin.client.perform('listCertificates', { device: device.id });
        await authority.admin.client.perform('revokeCertificate', {
          id: items[0]!.sha256,
          reason: 'superseded',
        });
        await assertRefused(authority, await device.renew({ label }), 403, ['renewal-unrevoked']);
      });

      test(`${path}: a certificate of another template is refused`, async () => {
        const device = await enrolled('keeping');
        await assertRefused(authority, await device.renew({ label }), 403, ['renewal-template']);
      });

      test(`${path}: other names are refused`, async () => {
        const device = await enrolled();
        const csr = renewalCsr(device.certificate!, device.key, withoutSan(device.id));
        await refused(await device.renew({ label, csr }), 'renewal-names');
      });
    }
  });
});

/** Of a renewal without a SAN; null: without a subject too. */
function withoutSan(id: string | null): Partial<CsrSettings> {
  const name = id === null ? [] : buildName([{ type: 'commonName', value: id }]);
  return { subjectAltName: undefined, name };
}
