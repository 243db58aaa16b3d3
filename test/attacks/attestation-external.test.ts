import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, beforeEach, describe, test } from 'node:test';
import { isSallyportError } from '#errors';
import { oids, parseCertificationRequest } from '#x509';
import { AcmeClient, type Json } from '../harness/acme-client.ts';
import { authorityInProcess, sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf, requestEntriesOf } from '../harness/entries.ts';
import { est, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { freePort } from '../harness/free-port.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { ServerMadeKeys } from '../harness/server-made-keys.ts';
import { TestDevice } from '../harness/test-device.ts';
import { withVerifier } from '../harness/verified-authority.ts';
import { type Answer, Vendor, VerifierService } from '../harness/verifier-service.ts';

const evidence = (...controls: readonly string[]) => [
  'attestation',
  ...controls.map((each) => `attestation-${each}`),
];
const allOfIt = evidence('device', 'fresh', 'key', 'sound', 'trusted', 'unused');

/** What is left out is as it should be. */
interface Attesting {
  readonly vendor?: Vendor;
  readonly nonce?: Uint8Array;
  readonly attested?: ClientKey;
  readonly serialNumber?: string;
  readonly fmt?: string;
  readonly secret?: string;
}

/** Evidence that a verifier outside reads: whoever lacks the vendor's hardware gets nothing, and strangers make us ask nobody. */
describe('evidence that a verifier outside reads', () => {
  const cleanup = suiteCleanup();
  let service: VerifierService;
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    service = await VerifierService.start(cleanup);
    const nowhere = `https://localhost:${await freePort()}/verify`;
    const verifiers = {
      knox: service.settings(),
      stranger: service.settings({ client: 'stranger' }),
      'other-ca': service.settings({ ca: 'other-ca.pem' }),
      'other-key': service.settings({ key: 'other.key' }),
      down: { ...service.settings(), url: nowhere },
    };
    authority = await authorityInProcess(
      cleanup,
      withVerifier(service, {
        edit(settings) {
          settings['attestation'] = { verifiers: verifiers };
          const { 'attested-laptop': like } = settings['deviceClasses']!;
          for (const name of Object.keys(verifiers)) {
            settings['deviceClasses']![name] = {
              ...like,
              evidence: { external: { verifiers: [name] } },
            };
          }
          settings['deviceClasses']!['strong'] = {
            ...like,
            evidence: { external: { verifiers: ['knox'], levels: ['strongbox'] } },
          };
          settings['deviceClasses']!['nothing'] = { ...like, evidence: {} };
          const { device } = settings['templates'] as Record<string, Record<string, unknown>>;
          settings['templates']!['vault'] = { ...device, keyProtection: 'hardware' };
          settings['templates']!['made'] = { ...device, serverKeygen: 'ec-p256' };
          for (const each of Object.values(settings['deviceClasses']!)) {
            each['templates'] = ['device', 'hardware', 'vault', 'made'];
          }
          const enroll = settings['listeners']!['enroll'] as {
            protocols: { est: { templates: string[] } };
          };
          enroll.protocols.est.templates.push('vault', 'made');
          return settings;
        },
      }),
    );
  });
  beforeEach(() => {
    service.changed = (answer) => ({ body: answer });
    service.system.questions.length = 0;
  });

  const phone = (id: string, deviceClass = 'knox', template = 'device') =>
    TestDevice.expected(authority, id, {
      deviceClass,
      template,
      identifiers: { serialNumber: `S-${id}` },
    });
  const nonceFor = async ({ id, secret, template }: TestDevice) => {
    const url = `${authority.est}/${template}/nonce`;
    const answer = await est({ url, trust: authority.trustPem, user: [id, secret] });
    return new Uint8Array(Buffer.from(JSON.parse(answer.text).nonce as string, 'base64url'));
  };
  const enroll = async (device: TestDevice, asked: Attesting = {}) => {
    const key = makeKey();
    const { vendor = service.vendor, attested = key, serialNumber = `S-${device.id}`, fmt } = asked;
    const nonce = asked.nonce ?? (await nonceFor(device));
    const attribute = vendor.attribute(vendor.object(nonce, attested, serialNumber, fmt));
    const csr = csrFor(device.id, key, { attributes: [attribute] });
    const { secret = device.secret } = asked;
    return { key, csr, answer: await device.enroll({ key, csr, secret }) };
  };
  const refused = async (answer: EstAnswer, controls: readonly string[], words: RegExp) => {
    const entry = await assertRefused(authority, answer, 403, controls);
    assert.match(JSON.stringify(entry.verdict.objections), words);
    assert.ok(!answer.text.includes('knox'), answer.text);
    return entry;
  };
  const changing = (more: Answer) => {
    service.changed = (answer) => ({ body: { ...answer, ...more } });
  };

  test('of another key', async () => {
    const { answer } = await enroll(await phone('olga'), { attested: makeKey() });
    await refused(answer, evidence('key'), /another key/);
  });

  test('of another device, or of none', async () => {
    const { answer } = await enroll(await phone('anna'), { serialNumber: 'S-berta' });
    await refused(answer, evidence('device'), /it is of S-berta, and serialNumber of device anna is S-anna/);
    changing({ identities: {} });
    const nobody = await enroll(await phone('nora'));
    await refused(nobody.answer, evidence('device'), /names no serialNumber/);
  });

  test('of another nonce, whatever its verifier says of that', async () => {
    const { answer } = await enroll(await phone('fred'), { nonce: new Uint8Array(32) });
    // Nothing was given out to fred: nobody is asked.
    await refused(answer, allOfIt, /no verifier was asked/);
    assert.deepEqual(service.questions, []);
    const gail = await phone('gail');
    const theirs = await nonceFor(await phone('gus'));
    await nonceFor(gail);
    await refused((await enroll(gail, { nonce: theirs })).answer, evidence('fresh'), /not hold the nonce/);
    changing({ fresh: true });
    await nonceFor(gail);
    await refused((await enroll(gail, { nonce: theirs })).answer, evidence('fresh'), /not hold the nonce/);
    changing({ fresh: false });
    await refused((await enroll(gail)).answer, evidence('fresh'), /not hold the nonce/);
  });

  test('of a level that the class does not take, of software, or of none', async () => {
    const strong = await enroll(await phone('stan', 'strong'));
    await refused(strong.answer, evidence('trusted'), /assurance-level: the level is tee/);
    changing({ level: 'software' });
    await refused((await enroll(await phone('sofi'))).answer, evidence('trusted'), /the level is software/);
    changing({ level: undefined });
    await refused((await enroll(await phone('lara'))).answer, allOfIt, /unreadable-level/);
  });

  test('of a virtual machine, for a template that demands hardware', async () => {
    changing({ level: 'virtual-tpm' });
    const { answer } = await enroll(await phone('vera', 'knox', 'vault'));
    await refused(answer, evidence('trusted'), /demands hardware, and the level is virtual-tpm/);
  });

  test('that the vendor has not signed, or that its verifier refuses or says unknown things of', async () => {
    const forged = await enroll(await phone('mia'), { vendor: new Vendor() });
    await refused(
      forged.answer,
      allOfIt,
      /verifier-refused: verifier knox, of samsung-knox: not-signed \(answer/,
    );
    for (const [index, [more, words]] of (
      [
        [{ decision: 'refused', code: 'revoked' }, /: revoked \(answer/],
        [{ decision: 'VERIFIED' }, /unreadable-decision/],
        [{ spki: null }, /unreadable-spki/],
        [{ nonce: undefined }, /unreadable-nonce/],
        [{ fresh: 1 }, /unreadable-fresh/],
        [{ level: 'unbreakable' }, /unreadable-level/],
        [{ identities: { serialNumber: ['S-0'] } }, /unreadable-identities/],
        [{ unknown: true }, /unreadable-answer/],
      ] as const
    ).entries()) {
      changing(more);
      await refused((await enroll(await phone(`x-${index}`))).answer, allOfIt, words);
    }
  });

  test('by a verifier that is somebody else, knows us not, takes our signature for none, or is not there', async () => {
    for (const [name, said] of [
      ['stranger', /^verifier stranger, of samsung-knox: no-answer$/],
      ['other-ca', /^verifier other-ca, of samsung-knox: no-answer$/],
      ['other-key', /^verifier other-key, of samsung-knox: http-401$/],
      ['down', /^verifier down, of samsung-knox: no-answer$/],
    ] as const) {
      const { answer } = await enroll(await phone(`of-${name}`, name));
      const entry = await assertRefused(authority, answer, 503, allOfIt);
      const { fault } = entry.observations.evidence!.examination!;
      assert.equal(fault!.check, 'verifier-unavailable', name);
      assert.match(fault!.detail, said);
      const reached = name === 'other-key' ? 1 : 0;
      assert.equal(service.questions.length, reached, name);
      service.system.questions.length = 0;
    }
    const faults = JSON.stringify(authority.faults.map((fault) => String((fault as { error: Error }).error)));
    assert.match(faults, /ECONNREFUSED/);
    assert.match(faults, /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY/);
  });

  test('asks nobody for whoever has no secret, another one, or what is refused anyway', async () => {
    const device = await phone('zoe');
    const wrong = await enroll(device, { secret: 'x'.repeat(32) });
    assert.equal(wrong.answer.status, 401, wrong.answer.text);
    const other = await phone('zara');
    await enroll(device, { secret: other.secret });
    await refused((await enroll(device, { fmt: 'chromeos' })).answer, allOfIt, /format chromeos/);
    await refused((await enroll(device, { fmt: 'tpm' })).answer, allOfIt, /malformed/);
    const nothing = await phone('nick', 'nothing');
    await refused((await enroll(nothing)).answer, allOfIt, /no verifier was asked/);
    await authority.admin.client.perform('suspendDevice', { id: 'zoe' });
    const { answer } = await enroll(device);
    await refused(answer, ['device-state', ...allOfIt], /no verifier was asked/);
    assert.deepEqual(service.questions, []);
  });

  test('that came before, with another request: nobody is asked', async () => {
    const device = await phone('rosa');
    const { key, csr, answer } = await enroll(device);
    assert.equal(answer.status, 200, answer.text);
    await device.newSecret();
    await nonceFor(device);
    const again = await device.enroll({ key, csr });
    const entry = await assertRefused(authority, again, 403, [
      ...evidence('fresh', 'unused'),
      'first-enrollment',
    ]);
    assert.match(JSON.stringify(entry.verdict.objections), /came before, with another request/);
    const second = makeKey();
    const stolen = csrFor('rosa', second, { attributes: [attributeOf(csr)] });
    await refused(
      await device.enroll({ key: second, csr: stolen }),
      [...allOfIt, 'enrollment-again', 'first-enrollment'],
      /no verifier was asked/,
    );
    assert.equal(service.questions.length, 1);
  });

  test('of a key that the authority would not certify, since it makes one: nobody is asked', async () => {
    const device = await phone('kate', 'knox', 'made');
    const key = makeKey();
    const object = service.vendor.object(await nonceFor(device), key, 'S-kate');
    const csr = csrFor('kate', key, { attributes: [service.vendor.attribute(object)] });
    const answer = await new ServerMadeKeys(authority).first(device, csr);
    await refused(answer, allOfIt, /no verifier was asked/);
    assert.deepEqual(service.questions, []);
  });

  test('in an order of ACME: of another device, and of a suspended one, which nobody is asked about', async () => {
    await phone('ada');
    const eab = await authority.admin.client.perform('createExternalAccountKey', {
      device: 'ada',
      templates: ['hardware'],
      approve: false,
    });
    const base = new URL(authority.est).origin;
    const client = await AcmeClient.at(`${base}/acme/hardware/directory`, authority.trustPem);
    cleanup.after(() => client.close());
    assert.equal((await client.register(eab)).status, 201);
    const attest = async (serialNumber: string, signed?: string) => {
      const { body: order } = await client.order([{ type: 'permanent-identifier', value: 'S-ada' }]);
      const { body } = await client.post((order['authorizations'] as string[])[0]!, null);
      const [challenge] = body['challenges'] as Json[];
      const token = challenge!['token'] as string;
      const nonce = Buffer.from(signed ?? client.keyAuthorization(token));
      const attObj = Buffer.from(service.vendor.object(nonce, makeKey(), serialNumber)).toString('base64url');
      const answer = await client.post(challenge!['url'] as string, { attObj });
      assert.equal(answer.body['status'], 'invalid', answer.text);
      assert.match(answer.text, /the evidence is not accepted here/);
    };
    await attest('S-bea');
    await attest('S-ada', 'the token of another challenge');
    assert.equal(service.questions.length, 2);
    await authority.admin.client.perform('suspendDevice', { id: 'ada' });
    await attest('S-ada');
    assert.equal(service.questions.length, 2);
  });

  test('is erased with its device', async () => {
    const device = await phone('erin');
    const { answer } = await enroll(device);
    assert.equal(answer.status, 200, answer.text);
    await authority.admin.client.perform('retireDevice', { id: 'erin' });
    await authority.admin.client.perform('eraseDevice', { id: 'erin' });
    const left = (await entriesOf(authority)).filter((entry) => JSON.stringify(entry).includes('erin'));
    assert.deepEqual(left, []);
    const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), { timeout: 5000 });
    const rows = database.prepare('select examination from evidence').all();
    database.close();
    assert.ok(!JSON.stringify(rows).includes('erin'));
    assert.ok(JSON.stringify(rows).includes('S-rosa'));
  });

  test('whose verifier cannot be asked as configured: nothing is put in force', async () => {
    for (const [changed, words] of [
      [{ key: 'short.key' }, /the key of verifier knox is shorter than 32 characters/],
      [{ clientKey: 'stranger' }, /verifier knox: .* is not the key of its certificate/],
      [{ clientKey: 'nobody' }, /nobody.key/],
      [{ client: 'nobody' }, /nobody.pem/],
      [{ ca: 'nobody.pem' }, /nobody.pem/],
      [{ ca: 'empty.pem' }, /empty.pem holds no certificates/],
    ] as const) {
      const starting = authorityInProcess(
        cleanup,
        withVerifier(service, { verifier: service.settings(changed) }),
      );
      await assert.rejects(
        starting,
        (error) => isSallyportError(error, 'config') && words.test(error.message),
      );
    }
  });

  test('no secret of the verifier is in log or faults', async () => {
    const told = JSON.stringify([
      await requestEntriesOf(authority),
      authority.faults.map((fault) => String((fault as { error: Error }).error)),
    ]);
    assert.ok(!told.includes('a key that the verifier has'));
    assert.ok(!told.includes('PRIVATE KEY'));
  });

  test('the log verifies, and a class that believes another one sees what would fall', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    const recheck = async () => {
      const config = ['--json', '--config', authority.configuration];
      const { stdout } = await sallyportHere('attestation', 'recheck', ...config);
      const { fallen } = JSON.parse(stdout) as {
        fallen: { device: string; problems: { check: string }[] }[];
      };
      return fallen.map(({ device, problems }) => [device, problems.map(({ check }) => check)]);
    };
    assert.deepEqual(await recheck(), []);
    const yaml = await readFile(authority.configuration, 'utf8');
    const at = yaml.indexOf('\n  knox:\n', yaml.indexOf('deviceClasses:'));
    await writeFile(
      authority.configuration,
      yaml.slice(0, at) + yaml.slice(at).replace('- knox\n', '- down\n        levels: [strongbox]\n'),
    );
    assert.deepEqual(await recheck(), [['rosa', ['assurance-level', 'verifier']]]);
  });

  test('that somebody has changed in the database shows in the log', async () => {
    const device = await phone('tara');
    const { key, csr, answer } = await enroll(device);
    assert.equal(answer.status, 200, answer.text);
    const { sha256 } = (await requestEntriesOf(authority)).at(-1)!.observations.evidence!.examination!;
    const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), { timeout: 5000 });
    const { examination } = database
      .prepare('select examination from evidence where sha256 = ?')
      .get(sha256) as { examination: string };
    const change = (text: string) =>
      database.prepare('update evidence set examination = ? where sha256 = ?').run(text, sha256);
    change(examination.replace('"tee"', '"strongbox"'));
    assert.equal((await device.enroll({ key, csr })).status, 200);
    const tampered = await verifyLog(authority);
    assert.equal(tampered.ok, false);
    assert.match(JSON.stringify(tampered.findings), /what the verifier of its evidence said is not what/);
    database.close();
  });
});

/** Of a request, the evidence of another one. */
function attributeOf(csr: Uint8Array) {
  const { attestationBundle } = parseCertificationRequest(csr);
  return { oid: oids.attestation, values: [attestationBundle!] };
}
