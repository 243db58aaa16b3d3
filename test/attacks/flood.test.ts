import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { est } from '../harness/est-client.ts';
import { RawConnection } from '../harness/raw-connection.ts';

const cacerts = 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: x\r\n\r\n';

/** Requests sent ahead on one connection cost no handshake each: the source's limit must end them as it ends others. */
describe('a flood of requests on one connection', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) => {
      // What is regained while the test runs is less than one.
      const edited = yaml.replace(
        '{ burst: 600, count: 300, period: 1m }',
        '{ burst: 3, count: 3, period: 1d }',
      );
      assert.notEqual(edited, yaml);
      return edited;
    });
  });

  /** The statuses that one source gets for these bytes, and what is in the log of them. */
  async function flood(localAddress: string, bytes: string) {
    const from = await logSize(authority);
    const target = { url: authority.est, trust: authority.trustPem, localAddress };
    const connection = await RawConnection.open(target);
    connection.write(bytes);
    const statuses: number[] = [];
    for (let answer = await connection.answer(); answer !== null; answer = await connection.answer()) {
      statuses.push(answer.status);
    }
    const entries = await requestEntriesOf(authority, from);
    return { statuses, outcomes: entries.map(({ outcome }) => outcome) };
  }

  test('is over with the first 429: what was sent behind it is no entry', async () => {
    const { statuses, outcomes } = await flood('127.0.0.2', cacerts.repeat(10));
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.deepEqual(outcomes, ['answered', 'answered', 'answered', 'refused']);
  });

  test('of more than anybody sends ahead ends the connection, and others are served', async () => {
    const { outcomes } = await flood('127.0.0.3', cacerts.repeat(6000));
    assert.ok(outcomes.length <= 4, String(outcomes.length));
    const url = `${authority.est}/cacerts`;
    const answer = await est({ url, trust: authority.trustPem, localAddress: '127.0.0.4' });
    assert.equal(answer.status, 200);
  });
});
