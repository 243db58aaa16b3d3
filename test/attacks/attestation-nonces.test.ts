import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, beforeEach, describe, test } from 'node:test';
import { type AuthorityInProcess, authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { makeCsr, makeKey } from '../harness/csr.ts';
import { base64, est, type EstRequest } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import type { Reply } from '../harness/other-system.ts';
import { TestCa } from '../harness/pki.ts';
import { withVerifier } from '../harness/verified-authority.ts';
import { VerifierService } from '../harness/verifier-service.ts';

/** A nonce is for who was known when it was given, and what a verifier says is said of one nonce and of one device. */
describe('nonces of evidence', () => {
  const cleanup = suiteCleanup();
  const maker = TestCa.root('Example Devices Root');
  let service: VerifierService;
  let authority: AuthorityInProcess;
  before(async () => {
    service = await VerifierService.start(cleanup);
    const folder = await ClientFolder.make(cleanup);
    const file = folder.path('maker.pem');
    await writeFile(file, maker.pem);
    authority = await authorityInProcess(
      cleanup,
      withVerifier(service, {
        edit(settings) {
          settings['templates']!['device']!['authentication'] = ['secret', 'idevid'];
          const certified = { classes: ['attested-laptop'], templates: ['device'], certificates: [file] };
          return { ...settings, identities: { maker: { kind: 'idevid', ...certified } } };
        },
      }),
    );
  });
  beforeEach(() => {
    service.system.questions.length = 0;
    service.changed = (answer) => ({ body: answer });
  });

  const phone = (id: string, serialNumber = `S-${id}`) => ({
    deviceClass: 'attested-laptop',
    approveFor: ['device'],
    identifiers: { serialNumber },
  });
  type Presented = Pick<EstRequest, 'user' | 'client'>;
  const asking = (presented: Presented, operation: string, body?: Buffer | string) =>
    est({
      url: `${authority.est}/device/${operation}`,
      trust: authority.trustPem,
      ...presented,
      ...(body === undefined ? {} : { body }),
    });
  const nonceFor = async (presented: Presented) => {
    const answer = await asking(presented, 'nonce');
    assert.equal(answer.status, 200, answer.text);
    return new Uint8Array(Buffer.from(JSON.parse(answer.text).nonce as string, 'base64url'));
  };
  /** With evidence that holds the nonce in force, and no name in the request. */
  const enroll = async (presented: Presented, serialNumber: string) => {
    const key = makeKey();
    const object = service.vendor.object(await nonceFor(presented), key, serialNumber);
    const csr = makeCsr({ key, attributes: [service.vendor.attribute(object)] });
    return asking(presented, 'simpleenroll', base64(csr));
  };
  /** Before the verifier answers its next question. */
  const meanwhile = (act: () => Promise<unknown>) => {
    const { system } = service;
    const { answering } = system;
    system.answering = async (question) => {
      system.answering = answering;
      await act();
      return (await answering(question)) as Reply;
    };
  };
  const idevid = (serialNumber: string) => ({ client: maker.idevid({ serialNumber }) });
  const holders = () => {
    const database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), { timeout: 5000 });
    const rows = database.prepare('select holder from evidence_nonce order by holder').all();
    database.close();
    return rows.map(({ holder }) => holder as string);
  };

  test('another one given to the same secret while a verifier was asked: what it says counts no more', async () => {
    await authority.admin.device('nina', phone('nina'));
    const user = ['nina', await authority.admin.secret('nina')] as const;
    meanwhile(() => nonceFor({ user }));
    const answer = await enroll({ user }, 'S-nina');
    const entry = await assertRefused(authority, answer, 403, ['attestation', 'attestation-fresh']);
    assert.match(entry.facts.reasons['attestation-fresh']!, /not hold the nonce/);
    const [first, second, ...more] = service.questions;
    assert.deepEqual(more, []);
    assert.notEqual(first!.nonce, second!.nonce);
    // Where nothing happens meanwhile it is taken.
    assert.equal((await enroll({ user }, 'S-nina')).status, 200);
  });

  test('another device by the same certificate while a verifier was asked: what it says is not of that one', async () => {
    await authority.admin.device('anna', phone('anna', 'S-moved'));
    const presented = idevid('S-moved');
    service.changed = (answer, { device }) => ({
      body: device.id === 'anna' ? answer : { decision: 'refused', code: 'not-on-file' },
    });
    meanwhile(async () => {
      await authority.admin.device('anna', phone('anna'));
      await authority.admin.device('berta', phone('berta', 'S-moved'));
    });
    const answer = await enroll(presented, 'S-moved');
    assert.equal(answer.status, 403, answer.text);
    assert.deepEqual(
      service.questions.map(({ device }) => device.id),
      ['anna', 'berta'],
    );
    for (const device of ['anna', 'berta']) {
      const { items } = await authority.admin.client.perform('listCertificates', { device });
      assert.deepEqual(items, []);
    }
  });

  test('for a certificate that nobody vouches for: one is given, and kept nowhere', async () => {
    const before = holders();
    const stranger = TestCa.root('Somebody').idevid({ serialNumber: 'S-stranger' });
    await nonceFor({ client: stranger });
    await nonceFor({ client: stranger.sending(maker.certificate) });
    assert.deepEqual(holders(), before);
    await nonceFor(idevid('S-nobody'));
    assert.equal(holders().length, before.length + 1);
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});
