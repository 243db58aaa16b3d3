import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorityInProcess, sallyportHere } from '../harness/authority.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { type FuzzRequest, fuzzRequest } from '../harness/fuzz-request.ts';
import { type RawAnswer, RawConnection } from '../harness/raw-connection.ts';
import { TestDevice } from '../harness/test-device.ts';

const milliseconds = 15_000;
const atOnce = 32;

test('near-valid requests get an answer or a clean end, never a fault, and each that reached EST has its entry', async (t) => {
  const authority = await authorityInProcess(t, (yaml) =>
    yaml
      .replace(
        'device: { burst: 5, count: 10, period: 1d }',
        'device: { burst: 100000, count: 100000, period: 1h }',
      )
      .replace(
        'template: { burst: 200, count: 1000, period: 1h }',
        'template: { burst: 100000, count: 100000, period: 1h }',
      ),
  );
  const askers = [
    await TestDevice.enrolled(authority, 'enrolled'),
    await TestDevice.expected(authority, 'expected'),
    await TestDevice.unapproved(authority, 'unapproved'),
  ];

  let sources = 0;
  /** All of 127.0.0.0/8 is loopback: each request has a source of its own, by which its entry is found. */
  const nextSource = () => {
    sources += 1;
    return `127.1.${sources >> 8}.${sources & 255}`;
  };
  const reached = new Map<string, { readonly framed: boolean; readonly entries: number }>();

  async function send({ bytes, framed }: FuzzRequest): Promise<void> {
    const localAddress = nextSource();
    const target = { url: authority.est, trust: authority.trustPem, localAddress };
    const connection = await RawConnection.open(target);
    let answer: RawAnswer | null = null;
    try {
      connection.write(bytes);
      if (!framed) setTimeout(() => connection.socket.end(), 50);
      answer = await connection.answer();
    } finally {
      connection.close();
    }
    if (framed) assert.ok(answer !== null, `no answer to ${shown(bytes)}`);
    assert.ok(
      answer === null || answer.status < 500 || answer.status === 501,
      `${answer?.status} to ${shown(bytes)}`,
    );
    // What the HTTP parser refuses by itself is answered without any of these.
    const ofEst = ['Content-Type', 'WWW-Authenticate', 'Retry-After'];
    const byEst = answer?.headers.some(([name]) => ofEst.includes(name)) ?? false;
    reached.set(localAddress, { framed, entries: byEst ? 1 : 0 });
  }

  const batch = fc.array(fc.oneof(...askers.map(fuzzRequest)), { minLength: atOnce, maxLength: atOnce });
  await fc.assert(
    fc.asyncProperty(batch, async (requests) => {
      await Promise.all(requests.map(send));
      assert.deepEqual(authority.faults, []);
    }),
    { numRuns: 200, plugins: [fc.interruptAfterTimeLimit(milliseconds)] },
  );

  const entries = new Map<string, number>();
  const outcomes: Record<string, number> = {};
  for (const { observations, outcome } of await requestEntriesOf(authority)) {
    const { address } = observations.source;
    entries.set(address, (entries.get(address) ?? 0) + 1);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  for (const [source, { framed, entries: answered }] of reached) {
    const found = entries.get(source) ?? 0;
    // Without one length a message may be two, or be cut off before its answer.
    if (framed) assert.equal(found, answered, source);
    else assert.ok(found >= answered, source);
  }
  t.diagnostic(`${reached.size} requests, ${entries.size} of them reached EST: ${JSON.stringify(outcomes)}`);
  const verified = await sallyportHere('log', 'verify', '--json', '--config', authority.configuration);
  assert.equal(verified.code, 0, verified.stdout);
});

const shown = (bytes: Buffer) => JSON.stringify(bytes.toString('latin1').slice(0, 2000));
