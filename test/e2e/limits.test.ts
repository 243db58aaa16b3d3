import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { est, type EstAnswer } from '../harness/est-client.ts';
import { logSize } from '../harness/entries.ts';
import { assertRefused } from '../harness/expect.ts';
import { TestDevice } from '../harness/test-device.ts';

const second = 1000;

const withLimits = (yaml: string) =>
  yaml
    .replace('source: { burst: 600, count: 300, period: 1m }', 'source: { burst: 3, count: 3, period: 1m }')
    .replace('device: { burst: 5, count: 10, period: 1d }', 'device: { burst: 2, count: 2, period: 1d }')
    .replace(
      'template: { burst: 200, count: 1000, period: 1h }',
      'template: { burst: 200, count: 1000, period: 1h }\n  templates:\n    server: { burst: 1, count: 1, period: 1h }',
    );

/** GCRA for source, device and template. 429 is of RFC 6585 section 4, Retry-After of RFC 9110 section 10.2.3. */
describe('a rate limit', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, withLimits);
  });

  let sources = 1;
  /** All of 127.0.0.0/8 is loopback: each request may come from another source. */
  const anotherSource = () => `127.0.0.${(sources += 1)}`;
  const caCertificates = (localAddress: string) =>
    est({ url: `${authority.est}/cacerts`, trust: authority.trustPem, localAddress });

  const retryAfter = (answer: EstAnswer) => Number(answer.headers['retry-after']);
  const assertLimited = async (answer: EstAnswer, control: string, seconds: number) => {
    await assertRefused(authority, answer, 429, [control]);
    // The clock runs on while the test does.
    const told = retryAfter(answer);
    assert.ok(told <= seconds && told > seconds - 10, `Retry-After ${told}, not about ${seconds}`);
  };

  describe('of a source', () => {
    async function spent(): Promise<string> {
      const source = anotherSource();
      for (let request = 0; request < 3; request += 1) {
        assert.equal((await caCertificates(source)).status, 200);
      }
      return source;
    }

    test('answers 429 and when to come back, before anything else of the request is looked at', async () => {
      const source = await spent();
      await assertLimited(await caCertificates(source), 'rate-source', 20);
      const garbage = await est({
        url: `${authority.est}/simpleenroll`,
        body: 'garbage',
        trust: authority.trustPem,
        localAddress: source,
      });
      const entry = await assertRefused(authority, garbage, 429, ['rate-source']);
      assert.equal(entry.action, 'admit');
    });

    test('is not prolonged by asking again and again, and opens when it said', async () => {
      const source = await spent();
      const told = retryAfter(await caCertificates(source));
      for (let request = 0; request < 5; request += 1) {
        assert.equal((await caCertificates(source)).status, 429);
      }
      authority.advance(told * second);
      assert.equal((await caCertificates(source)).status, 200);
      assert.equal((await caCertificates(source)).status, 429);
    });

    test('does not touch another source', async () => {
      await spent();
      assert.equal((await caCertificates(anotherSource())).status, 200);
    });

    test('writes every refusal to the log', async () => {
      const source = await spent();
      const before = await logSize(authority);
      for (let request = 0; request < 4; request += 1) await caCertificates(source);
      assert.equal(await logSize(authority), before + 4);
    });
  });

  let devices = 0;
  async function device(template = 'device'): Promise<TestDevice> {
    const made = await TestDevice.expected(authority, `${template}-${(devices += 1)}`, {
      deviceClass: 'server',
      template,
      identifiers: { dnsName: `d${devices}.example.org` },
    });
    assert.equal((await made.enroll({ localAddress: anotherSource() })).status, 200);
    return made;
  }
  const renew = (of: TestDevice, csr?: Uint8Array) =>
    of.renew({ localAddress: anotherSource(), ...(csr === undefined ? {} : { csr }) });

  describe('of a device', () => {
    test('answers 429, and when to come back', async () => {
      const limited = await device();
      assert.equal((await renew(limited)).status, 200);
      await assertLimited(await renew(limited), 'rate-device', 43_200);
    });

    test('is not prolonged by asking again and again, and opens when it said', async () => {
      const limited = await device();
      await renew(limited);
      const told = retryAfter(await renew(limited));
      for (let request = 0; request < 3; request += 1) await renew(limited);
      authority.advance(told * second);
      assert.equal((await renew(limited)).status, 200);
      assert.equal((await renew(limited)).status, 429);
    });

    test('is spent by certificates only: what is refused for another reason spends nothing', async () => {
      const limited = await device();
      for (let request = 0; request < 3; request += 1) {
        const answer = await renew(limited, csrFor('another-name', makeKey()));
        await assertRefused(authority, answer, 400, ['renewal-names', 'request-subject']);
      }
      assert.equal((await renew(limited)).status, 200);
      assert.equal((await renew(limited)).status, 429);
    });

    test('does not touch another device', async () => {
      const [limited, other] = [await device(), await device()];
      await renew(limited);
      assert.equal((await renew(limited)).status, 429);
      assert.equal((await renew(other)).status, 200);
    });
  });

  test('of a template answers 429, touches no other template, and opens when it said', async () => {
    const [server, other] = [await device('server'), await device()];
    const answer = await renew(server);
    await assertLimited(answer, 'rate-template', 3600);
    assert.equal((await renew(other)).status, 200);
    authority.advance(retryAfter(answer) * second);
    assert.equal((await renew(server)).status, 200);
  });
});
