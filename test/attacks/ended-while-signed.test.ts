import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import { assertRefused, supportCodeOf } from '../harness/expect.ts';
import { TestDevice } from '../harness/test-device.ts';

/** What ends between reserving and storing is judged again as it is now: whoever asked is told that, and nothing of a fault. */
describe('a certificate that is being signed', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let database: DatabaseSync;
  before(async () => {
    authority = await authorityInProcess(cleanup);
    database = new DatabaseSync(path.join(authority.directory, 'data/sallyport.db'), { timeout: 5_000 });
    cleanup.after(() => database.close());
  });

  /** Once, as another node would at that moment. */
  async function renewWhile(id: string, change: (certificate: string) => string) {
    const device = await TestDevice.enrolled(authority, id);
    const { items } = await authority.admin.client.perform('listCertificates', { device: id });
    database.exec(`create trigger meanwhile after insert on intent begin ${change(items[0]!.sha256)}; end`);
    const answer = await device.renew({ key: makeKey() });
    database.exec('drop trigger meanwhile');
    return answer;
  }

  test('by a renewal with a certificate that is revoked in that moment: it is refused', async () => {
    const answer = await renewWhile(
      'revoked',
      (sha256) => `update certificate set revoked_at = 1, revocation_reason = 9 where sha256 = '${sha256}'`,
    );
    await assertRefused(authority, answer, 403, ['renewal-unrevoked']);
    assert.deepEqual(authority.faults, []);
  });

  test('by a renewal with a certificate that is contested in that moment: it waits for an operator', async () => {
    const answer = await renewWhile(
      'contested',
      (sha256) =>
        `insert into lineage_contest (presented, device_id, template, opened_at) values ('${sha256}', 'contested', 'device', 1)`,
    );
    assert.equal(answer.status, 202, answer.text);
    assert.deepEqual(authority.faults, []);
  });

  /** As an import of the inventory would, in the middle of it. */
  async function enrollWhileImported(device: TestDevice) {
    database.exec(
      `create trigger meanwhile after insert on intent begin update device set identifiers = '{"room":"7"}' where id = '${device.id}'; end`,
    );
    const answer = await device.enroll();
    database.exec('drop trigger meanwhile');
    return answer;
  }

  test('by an approval that its intent has in hand is asked again, and nobody is asked to approve it twice', async () => {
    const device = await TestDevice.unapproved(authority, 'approved');
    const held = await device.enroll();
    assert.equal(held.status, 202, held.text);
    await authority.admin.client.perform('approveRequest', { id: supportCodeOf(held) });
    const answer = await enrollWhileImported(device);
    assert.equal(answer.status, 503, answer.text);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    assert.deepEqual(
      items.filter((each) => each.device === 'approved'),
      [],
    );
  });

  test('for the last of a limit is asked again, and not refused by what it has spent itself', async () => {
    const narrow = await authorityInProcess(cleanup, (yaml) =>
      yaml.replace(/^( +)device: \{.*\}/m, '$1device: { burst: 1, count: 1, period: 1d }'),
    );
    const own = new DatabaseSync(path.join(narrow.directory, 'data/sallyport.db'), { timeout: 5_000 });
    cleanup.after(() => own.close());
    const device = await TestDevice.expected(narrow, 'last');
    own.exec(
      `create trigger meanwhile after insert on intent begin update device set identifiers = '{"room":"7"}' where id = 'last'; end`,
    );
    const answer = await device.enroll();
    assert.equal(answer.status, 503, answer.text);
  });
});
