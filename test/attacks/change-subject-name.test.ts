import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { buildName, type GeneralName, type Name, parseCertificate } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { changeSubjectName, csrFor, type CsrSettings, renewalCsr } from '../harness/csr.ts';
import { base64, est, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { TestDevice } from '../harness/test-device.ts';

/** RFC 7030 section 4.2.2 with RFC 6402 section 2.8: ChangeSubjectName brings what the inventory gives, and nothing else. */
describe('a renewal, when the inventory gives other names,', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(
      cleanup,
      withTemplates({
        changing: { renewal: { changeSubjectName: true } },
        naming: {
          renewal: { changeSubjectName: true },
          request: { subjectAltName: [{ dns: 'corp.example', maximum: 3 }] },
        },
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
  const commonName = (value: string): Name => buildName([{ type: 'commonName', value }]);
  const foreignNames = 'request-subject-alt-name';
  const newNames = (device: TestDevice): GeneralName[] => [
    dns(`new-${device.id}.example.org`),
    { kind: 'uri', value: `urn:serial:S-${device.id}` },
  ];
  const wishing = (names: Parameters<typeof changeSubjectName>[0]) => ({
    attributes: [changeSubjectName(names)],
  });

  test('the names of the certificate are refused, and so are the new ones without ChangeSubjectName', async () => {
    for (const template of ['device', 'changing']) {
      const device = await enrolled(template);
      await rename(device);
      await refused(await device.renew(), 'renewal-names', foreignNames);
      await refused(await renewAs(device, { subjectAltName: newNames(device) }), 'renewal-names');
    }
  });

  test('a name that the inventory now has in addition is not given silently', async () => {
    const id = `laptop-${(devices += 1)}`;
    const device = await TestDevice.enrolled(authority, id, {
      identifiers: { dnsName: `${id}.example.org` },
    });
    await authority.admin.device(id, { identifiers: identifiersOf(id) });
    await refused(await device.renew(), 'renewal-names');
  });

  test('ChangeSubjectName brings no name of the request alone, though a rule of the template admits it at an enrollment', async () => {
    const device = await enrolled('naming');
    const wish = wishing({ subjectAltName: [dns('dc01.corp.example')] });
    await refused(await renewAs(device, wish), 'renewal-names');
  });

  test('ChangeSubjectName keeps the names that the request brought when it was approved', async () => {
    const id = `laptop-${(devices += 1)}`;
    const device = await TestDevice.unapproved(authority, id, {
      template: 'naming',
      identifiers: identifiersOf(id),
    });
    const csr = csrFor(id, device.key, { subjectAltName: [dns('host.corp.example')] });
    assert.equal((await device.enroll({ csr })).status, 202);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    await authority.admin.client.perform('approveRequest', {
      id: items.find((request) => request.device === id)!.id,
    });
    assert.equal((await device.enroll({ csr })).status, 200);
    await rename(device);
    const subjectAltName = [...newNames(device), dns('host.corp.example')];
    const answer = await renewAs(device, wishing({ subjectAltName }));
    assertNamed(answer, { subject: commonName(id), subjectAltName });
  });

  test('ChangeSubjectName is refused where the template does not allow it', async () => {
    const device = await enrolled();
    await rename(device);
    await refused(await renewAs(device, wishing({ subjectAltName: newNames(device) })), 'renewal-names');
  });

  test('ChangeSubjectName is refused there even for the names it has', async () => {
    const device = await enrolled();
    const { subjectAltName } = namesOf(device.certificate!);
    await refused(await renewAs(device, wishing({ subjectAltName: [...subjectAltName] })), 'renewal-names');
  });

  test('ChangeSubjectName brings the new names where the template allows it', async () => {
    const device = await enrolled('changing');
    const { subject } = namesOf(device.certificate!);
    await rename(device);
    const answer = await renewAs(device, wishing({ subjectAltName: newNames(device) }));
    assertNamed(answer, { subject, subjectAltName: newNames(device) });
    // From then on those are its names.
    assertNamed(await device.renew(), { subject, subjectAltName: newNames(device) });
  });

  test('ChangeSubjectName with subject and alternative names, in any order', async () => {
    const device = await enrolled('changing');
    const { subject } = namesOf(device.certificate!);
    await rename(device);
    const answer = await renewAs(
      device,
      wishing({
        subject: [{ type: 'commonName', value: device.id }],
        subjectAltName: newNames(device).toReversed(),
      }),
    );
    assertNamed(answer, { subject, subjectAltName: newNames(device) });
  });

  test('ChangeSubjectName still needs the names of the certificate in subject and SAN', async () => {
    const device = await enrolled('changing');
    await rename(device);
    const change = wishing({ subjectAltName: newNames(device) });
    await refused(await renewAs(device, { ...change, subjectAltName: newNames(device) }), 'renewal-names');
    await refused(await renewAs(device, { ...change, ...withoutSan(device.id) }), 'renewal-names');
    await refused(
      await renewAs(device, { ...change, name: commonName('laptop-1') }),
      'renewal-names',
      'request-subject',
    );
  });

  test('ChangeSubjectName of the subject alone does not carry the old alternative names on', async () => {
    const device = await enrolled('changing');
    await rename(device);
    const answer = await renewAs(device, wishing({ subject: [{ type: 'commonName', value: device.id }] }));
    await refused(answer, foreignNames);
  });

  test('ChangeSubjectName to the names of another device is refused, allowed or not', async () => {
    const victim = await enrolled();
    const names = namesOf(victim.certificate!);
    const change = {
      subject: [{ type: 'commonName', value: victim.id }],
      subjectAltName: names.subjectAltName,
    };
    for (const [template, ...controls] of [
      ['changing', 'request-subject', foreignNames],
      ['device', 'renewal-names', 'request-subject', foreignNames],
    ] as const) {
      const device = await enrolled(template);
      await refused(await renewAs(device, wishing(change)), ...controls);
    }
    const device = await enrolled('changing');
    await refused(await renewAs(device, wishing({ subject: change.subject })), 'request-subject');
    const { subjectAltName } = change;
    await refused(await renewAs(device, wishing({ subjectAltName })), foreignNames);
    // One name of its own does not carry the other.
    await refused(
      await renewAs(
        device,
        wishing({ subjectAltName: [...namesOf(device.certificate!).subjectAltName, subjectAltName[0]!] }),
      ),
      foreignNames,
    );
  });

  test('ChangeSubjectName is refused in a first enrollment, also with a client certificate beside the secret', async () => {
    for (const template of ['device', 'changing']) {
      const device = await TestDevice.expected(authority, `laptop-${(devices += 1)}`, { template });
      const csr = csrFor(
        device.id,
        device.key,
        wishing({ subject: [{ type: 'commonName', value: device.id }] }),
      );
      await refused(await device.enroll({ csr }), 'request-subject');
      const holder = await enrolled(template);
      const answer = await est({
        url: `${authority.est}/${template}/simpleenroll`,
        body: base64(csr),
        user: [device.id, device.secret],
        client: { certificate: holder.certificate!, key: holder.key },
        trust: authority.trustPem,
      });
      await refused(answer, 'request-subject');
    }
  });

  test('ChangeSubjectName twice, or empty, is malformed', async () => {
    const device = await enrolled('changing');
    const one = changeSubjectName({ subject: [{ type: 'commonName', value: device.id }] });
    const other = changeSubjectName({ subject: [{ type: 'commonName', value: 'laptop-1' }] });
    for (const attributes of [
      [one, other],
      [{ oid: one.oid, values: [...one.values, ...other.values] }],
      [changeSubjectName({})],
    ]) {
      const answer = await renewAs(device, { attributes });
      assert.equal(answer.status, 400, answer.text);
      assert.equal((await entryOf(authority, answer)).outcome, 'malformed');
    }
  });
});

/** Of a renewal without a SAN. */
function withoutSan(id: string): Partial<CsrSettings> {
  const name = buildName([{ type: 'commonName', value: id }]);
  return { subjectAltName: undefined, name };
}
