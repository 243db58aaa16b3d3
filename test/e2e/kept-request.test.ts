import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { readDatabase } from '#authority';
import { loadConfiguration } from '#config';
import { derToPem, parseCertificationRequest, pemToDer, verifyPossession } from '#x509';
import { authorityInProcess, sallyportHere } from '../harness/authority.ts';
import { assertNowhere } from '../harness/canary.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entriesOf, logSize } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';

const challenge = 'the password that I use everywhere';

describe('the certification request as it came', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  /** The outcome of each entry that came of it, and the request kept beside it. */
  async function ask(csr: Buffer, user: [string, string]) {
    const from = await logSize(authority);
    const url = `${authority.est}/device/simpleenroll`;
    await est({ url, body: base64(csr), user, trust: authority.trustPem });
    const entries = await entriesOf(authority, from);
    assert.equal(entries.length, 1);
    const entry = entries[0] as unknown as {
      id: string;
      outcome: string;
      certificationRequest: { blob: string; original: string | null } | null;
    };
    return { index: from, ...entry };
  }

  const show = (...words: string[]) => sallyportHere(...words, '--config', authority.configuration);

  function requestIn(pem: string): Uint8Array {
    const [request] = pemToDer(pem, 'CERTIFICATE REQUEST');
    return request!;
  }

  async function storedBlob(index: number) {
    const storage = await readDatabase(loadConfiguration(authority.configuration, process.env), process.env);
    try {
      // DER begins with a SEQUENCE, a document of personal fields with a brace.
      return (await storage.log.blobs(index, index + 1)).find(({ bytes }) => bytes[0] === 0x30)!;
    } finally {
      await storage.close();
    }
  }

  test('is there for what was refused, held, issued and delivered again, and each entry names it', async () => {
    const secret = await authority.admin.expected('laptop-1');
    const key = makeKey();
    const csr = csrFor('laptop-1', key);
    const asked = [
      await ask(csrFor('laptop-1', makeKey()), ['laptop-1', 'wrong']),
      await ask(csr, ['laptop-1', secret]),
      await ask(csr, ['laptop-1', secret]),
    ];
    assert.deepEqual(
      asked.map(({ outcome }) => outcome),
      ['refused', 'issued', 'redelivered'],
    );
    const addresses = new Set(asked.map(({ certificationRequest }) => certificationRequest?.blob));
    assert.equal(addresses.size, 3, 'the same bytes have another address each time');
    for (const { id, certificationRequest } of asked.slice(1)) {
      assert.equal(certificationRequest?.original, null);
      assert.match((await show('log', 'show', id)).stdout, /kept as it came; --csr shows it/);
      const { code, stdout, stderr } = await show('log', 'show', id, '--csr');
      assert.deepEqual([code, stdout, stderr], [0, derToPem(csr, 'CERTIFICATE REQUEST'), '']);
      assert.ok(verifyPossession(parseCertificationRequest(requestIn(stdout))));
    }
  });

  test('is shown to the operator who is to approve it', async () => {
    await authority.admin.device('laptop-2');
    const secret = await authority.admin.secret('laptop-2');
    const csr = csrFor('laptop-2', makeKey());
    const { id, outcome } = await ask(csr, ['laptop-2', secret]);
    assert.equal(outcome, 'held');
    const { code, stdout } = await show('request', 'show', id, '--csr', '--json');
    assert.equal(code, 0);
    const shown = JSON.parse(stdout) as { certificationRequest: string; asReceived: boolean };
    assert.deepEqual(shown, { ...shown, certificationRequest: csr.toString('base64'), asReceived: true });
  });

  test('is kept without its challengePassword, which is written nowhere; who has the original can show that it was this one', async () => {
    const secret = await authority.admin.expected('laptop-3');
    const csr = csrFor('laptop-3', makeKey(), { challengePassword: challenge });
    const { id, index, outcome, certificationRequest } = await ask(csr, ['laptop-3', secret]);
    assert.equal(outcome, 'issued');
    const { stdout, stderr } = await show('log', 'show', id, '--csr');
    assert.match(stderr, /the signature does not fit/);
    assert.match((await show('log', 'show', id)).stdout, /kept without its challenge/);
    const kept = requestIn(stdout);
    const [came, stays] = [parseCertificationRequest(csr), parseCertificationRequest(kept)];
    assert.deepEqual([stays.challengePassword, stays.subject], [null, came.subject]);
    assert.deepEqual(Buffer.from(stays.spki), Buffer.from(came.spki));
    assert.equal(verifyPossession(stays), false);

    const { salt } = await storedBlob(index);
    const digest = (bytes: Uint8Array) => createHash('sha256').update(salt).update(bytes).digest('hex');
    assert.deepEqual(certificationRequest, { blob: digest(kept), original: digest(csr) });
    assert.notEqual(digest(csrFor('laptop-3', makeKey())), certificationRequest?.original);
    const { directory, faults } = authority;
    await assertNowhere([Buffer.from(challenge)], { directory, faults, control: 'laptop-3' });
  });

  test('is not there where none was read, and that is said', async () => {
    const from = await logSize(authority);
    const trust = authority.trustPem;
    await est({ url: `${authority.est}/device/simpleenroll`, body: 'garbage', trust, user: ['a', 'b'] });
    await est({ url: `${authority.est}/cacerts`, trust });
    for (const index of [0, from, from + 1]) {
      const { code, stderr } = await show('log', 'show', String(index), '--csr');
      assert.equal(code, 1);
      assert.match(stderr, /no certification request that was read/);
    }
  });

  test('is verified with the log', async () => {
    const { code, stdout } = await show('log', 'verify', '--json');
    assert.equal(code, 0, stdout);
  });
});
