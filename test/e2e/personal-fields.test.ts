import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { decodeEntry } from '#audit';
import { readDatabase } from '#authority';
import { loadConfiguration } from '#config';
import { type RequestEntry, sha256Hex } from '#enrollment';
import { defaultPolicies, judge, loadBundle } from '#policy';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { changeSubjectName, csrFor, makeKey, renewalCsr } from '../harness/csr.ts';
import { entriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { TestDevice } from '../harness/test-device.ts';

/** What stands for a person or their device here. Each is found wherever an entry holds it. */
const personal = ['ida-laptop', 'idas-serial', 'ida.example.org', 'idas-other-name', '127.0.0.1', 'said ida'];

/**
 * Where an entry may hold what is personal, as it is read; docs/adr/erasure.md says of each what becomes of it. In the leaf none of them is. Whoever adds a field finds
 * it here first: what is not sealed could not be erased. Not produced here: the events that end a request or an intent, with the device.
 */
const places: readonly string[] = [
  'act: detail.device',
  'act: detail.devices[]',
  'act: detail.expected.subject[][].value',
  'act: detail.expected.subjectAltName[].value',
  'act: detail.listSha256',
  'act: detail.names',
  'act: detail.remark',
  'request: certificate.deviceId',
  'request: facts.reasons.*',
  'request: observations.approval.names',
  'request: observations.denials[].names',
  'request: observations.device.id',
  'request: observations.device.identifiers.*',
  'request: observations.device.serialNumber',
  'request: observations.issued.names',
  'request: observations.presenter.record.deviceId',
  'request: observations.presenter.subject[][].value',
  'request: observations.presenter.subjectAltName[].value',
  'request: observations.request.changeSubjectName.subject[][].value',
  'request: observations.request.extensions[].value',
  'request: observations.request.subject[][].value',
  'request: observations.request.subjectAltName[].value',
  'request: observations.secret.expected.subject[][].value',
  'request: observations.secret.expected.subjectAltName[].value',
  'request: observations.secret.reservedFor.names',
  'request: observations.secret.userNameDevice',
  'request: observations.source.address',
  'request: verdict.objections[].detail',
];

/** As text, as the base64 of DER that has it, or as a digest without salt. */
function isPersonal(value: string, digests: ReadonlySet<string>): boolean {
  return (
    digests.has(value) ||
    personal.some((each) => value.includes(each) || Buffer.from(value, 'base64').includes(each))
  );
}

function placesIn(value: unknown, path: string, digests: ReadonlySet<string>): string[] {
  if (typeof value === 'string') return isPersonal(value, digests) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item) => placesIn(item, `${path}[]`, digests));
  if (typeof value !== 'object' || value === null) return [];
  const named = path.endsWith('.reasons') || path.endsWith('.identifiers');
  return Object.entries(value).flatMap(([name, member]) =>
    placesIn(member, `${path}${path === '' ? '' : '.'}${named ? '*' : name}`, digests),
  );
}

describe('personal fields of the log', () => {
  const cleanup = suiteCleanup();
  let entries: readonly { readonly type: string }[];
  let requests: readonly RequestEntry[];
  /** The same as the tree has them. */
  let leaves: readonly Readonly<Record<string, unknown>>[];
  /** Of ida's names, and of the list that her laptop came in. */
  let digests: ReadonlySet<string>;

  before(async () => {
    const authority = await authorityInProcess(cleanup);
    const { admin } = authority;
    const identifiers = { serial_number: 'idas-serial', dns_name: 'ida.example.org' };
    const device = await TestDevice.unapproved(authority, 'ida-laptop', { identifiers });
    const other = await TestDevice.expected(authority, 'other-laptop');
    const subjectAltName = [{ kind: 'dns', value: 'ida.example.org' }] as const;
    const csr = csrFor('ida-laptop', device.key, { subjectAltName });
    const ask = (body: Buffer, user: [string, string]) =>
      est({
        url: `${authority.est}/device/simpleenroll`,
        body: base64(body),
        user,
        trust: authority.trustPem,
      });
    await device.enroll({ csr });
    const [held] = (await admin.client.perform('listRequests', { state: 'pending' })).items;
    await admin.client.perform('approveRequest', { id: held!.id, remark: 'said ida' });
    assert.equal((await device.enroll({ csr })).status, 200);
    await device.renew();
    // A second key waits, is denied, and comes again.
    await device.newSecret();
    const another = makeKey();
    await device.enroll({ csr: csrFor('ida-laptop', another, { subjectAltName }) });
    const [waiting] = (await admin.client.perform('listRequests', { state: 'pending' })).items;
    await admin.client.perform('denyRequest', { id: waiting!.id, remark: 'said ida' });
    await device.newSecret();
    await device.enroll({ csr: csrFor('ida-laptop', another, { subjectAltName }) });
    // Refused for whatever can be said of names.
    await ask(csrFor('idas-other-name', makeKey()), ['ida-laptop', device.secret]);
    await ask(csrFor('other-laptop', makeKey()), ['ida-laptop', other.secret]);
    const { secret } = await admin.client.perform('createSecret', {
      device: device.id,
      template: 'device',
      subject: [{ type: 'commonName', value: 'ida-laptop' }],
      subjectAltName: [{ kind: 'dns', value: 'ida.example.org' }],
    });
    await ask(csr, ['other-laptop', secret]);
    await ask(csr, ['ida-laptop', other.secret]);
    const change = changeSubjectName({ subject: [{ type: 'commonName', value: 'idas-other-name' }] });
    await device.renew({ csr: renewalCsr(device.certificate!, device.key, { attributes: [change] }) });
    await admin.client.perform('suspendDevice', { id: device.id, remark: 'said ida' });
    await device.renew();
    const [certificate] = (await admin.client.perform('listCertificates', { device: device.id })).items;
    await admin.client.perform('revokeCertificate', { id: certificate!.sha256 });
    await est({ url: `${authority.est}/cacerts`, trust: authority.trustPem });
    await admin.client.perform('retireDevice', { id: device.id });
    const list = JSON.stringify([{ id: 'ida-laptop', class: 'laptop', ...identifiers }]);
    digests = new Set([held!.names, waiting!.names, sha256Hex(Buffer.from(list))]);
    entries = (await entriesOf(authority)) as unknown as typeof entries;
    await authority.running.close();
    const storage = await readDatabase(loadConfiguration(authority.configuration, {}), {});
    const { size } = await storage.log.head();
    leaves = (await storage.log.entries(0, size)).map(({ bytes }) => decodeEntry(bytes));
    await storage.close();
    requests = entries.filter(({ type }) => type === 'request') as unknown as RequestEntry[];
    assert.deepEqual([...new Set(requests.map(({ outcome }) => outcome))].toSorted(), [
      'answered',
      'held',
      'issued',
      'refused',
    ]);
  });

  test('stand where they are known to stand, and nowhere else', () => {
    const found = entries.flatMap((entry) =>
      placesIn(entry, '', digests).map((place) => `${entry.type}: ${place}`),
    );
    assert.deepEqual([...new Set(found)].toSorted(), places.toSorted());
  });

  test('are in no leaf', () => {
    assert.equal(leaves.filter(({ type }) => type === 'request').length, requests.length);
    for (const leaf of leaves) assert.deepEqual(placesIn(leaf, '', digests), []);
  });

  test('are in nothing that policies read', () => {
    for (const { facts } of requests) {
      const { reasons: _, ...read } = facts;
      assert.deepEqual(placesIn(read, '', digests), []);
    }
  });

  test('change no verdict: judged by the facts alone, without a word of reason, it has the same decision and the same controls', () => {
    const bundle = loadBundle(defaultPolicies(), {
      templates: [...new Set(requests.map(({ facts }) => facts.template))].filter((name) => name !== 'none'),
      deviceClasses: ['laptop'],
    });
    for (const { facts, verdict } of requests) {
      const { decision, objections } = judge(bundle, { ...facts, reasons: {} });
      assert.equal(decision, verdict.decision);
      assert.deepEqual(
        objections.map(({ control, liftable }) => ({ control, liftable })),
        verdict.objections.map(({ control, liftable }) => ({ control, liftable })),
      );
    }
  });
});
