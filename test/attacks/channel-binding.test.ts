import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { assertNowhere } from '../harness/canary.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, renewalCsr } from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { TestDevice } from '../harness/test-device.ts';
import { type ConnectionBindings, exchangeOnTls, type TlsExchange } from '../harness/tls-exchange.ts';

type Version = TlsExchange['version'];
/** What the client puts into its challengePassword; null: none. */
type Challenge = (bindings: ConnectionBindings) => string | null;

/** A request that somebody else took over, or sent on: RFC 7030 section 3.5, RFC 9266. */
describe('channel binding', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  /** What an operator is told at the start: TLS 1.2 is spoken here. */
  let told = 0;
  before(async () => {
    authority = await authorityInProcess(cleanup, withTemplates({ bound: { channelBinding: 'required' } }));
    told = authority.faults.length;
  });

  /** Each challengePassword that was sent, as text and as the octets it stands for. */
  const sent: Uint8Array[] = [];

  let devices = 0;
  const expected = (template: string) =>
    TestDevice.expected(authority, `laptop-${(devices += 1)}`, { template });

  function noted(challenge: string | null): { challengePassword?: string } {
    if (challenge === null) return {};
    const octets = Buffer.from(challenge, 'base64');
    sent.push(...[Buffer.from(challenge), octets].filter(({ length }) => length >= 12));
    return { challengePassword: challenge };
  }

  function enroll(
    device: TestDevice,
    version: Version,
    challenge: Challenge,
    ciphers?: string,
  ): Promise<EstAnswer> {
    return exchangeOnTls({
      ...(ciphers === undefined ? {} : { ciphers }),
      url: `${authority.est}/${device.template}/simpleenroll`,
      trust: authority.trustPem,
      version,
      user: [device.id, device.secret],
      csr: (bindings) => csrFor(device.id, device.key, noted(challenge(bindings))),
    });
  }

  async function assertIssued(
    ask: () => Promise<EstAnswer>,
    channelBinding: 'absent' | 'tls-unique' | 'tls-exporter' | 'other',
  ): Promise<EstAnswer> {
    const from = await logSize(authority);
    const answer = await ask();
    assert.equal(answer.status, 200, answer.text);
    const [entry] = await requestEntriesOf(authority, from);
    assert.equal(entry?.outcome, 'issued');
    assert.equal(entry.observations.request?.channelBinding, channelBinding);
    return answer;
  }

  const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');
  const own: Record<Version, Challenge> = {
    'TLSv1.2': ({ finished }) => base64(finished),
    'TLSv1.3': ({ exporter }) => base64(exporter),
  };
  const kinds = { 'TLSv1.2': 'tls-unique', 'TLSv1.3': 'tls-exporter' } as const;
  const versions = ['TLSv1.2', 'TLSv1.3'] as const;

  for (const version of versions) {
    const kind = kinds[version];
    for (const [template, demand] of [
      ['bound', 'required'],
      ['device', 'optional'],
    ] as const) {
      describe(`on ${version}, ${demand}:`, () => {
        test(`${kind} of this connection is taken`, async () => {
          const device = await expected(template);
          await assertIssued(() => enroll(device, version, own[version]), kind);
        });

        test('that of another connection is refused, demanded or not', async () => {
          const device = await expected(template);
          let stolen = '';
          await enroll(await expected('device'), version, (bindings) => {
            stolen = own[version](bindings)!;
            return stolen;
          });
          const answer = await enroll(device, version, () => stolen);
          const { observations } = await assertRefused(
            authority,
            answer,
            400,
            demand === 'required' ? ['binding-matches', 'binding-present'] : ['binding-matches'],
          );
          assert.equal(observations.request?.channelBinding, 'foreign');
          // The secret is still there for the device itself.
          await assertIssued(() => enroll(device, version, own[version]), kind);
        });

        test('one bit of it changed is refused', async () => {
          const device = await expected(template);
          const answer = await enroll(device, version, (bindings) => {
            const octets = Buffer.from(own[version](bindings)!, 'base64');
            octets[octets.length - 1]! ^= 1;
            return base64(octets);
          });
          const { observations } = await assertRefused(
            authority,
            answer,
            400,
            demand === 'required' ? ['binding-matches', 'binding-present'] : ['binding-matches'],
          );
          assert.equal(observations.request?.channelBinding, 'foreign');
        });

        const octets = (bindings: ConnectionBindings) => Buffer.from(own[version](bindings)!, 'base64');
        const unbound: Record<string, readonly [Challenge, 'absent' | 'other']> = {
          'no challengePassword': [() => null, 'absent'],
          'a one-time code': [() => 'Tr0ub4dor&3-4711-0815', 'other'],
          'one octet more': [
            (bindings) => base64(Buffer.concat([octets(bindings), Buffer.alloc(1)])),
            'other',
          ],
          'one octet less': [(bindings) => base64(octets(bindings).subarray(1)), 'other'],
          'its hex instead of its base64': [(bindings) => octets(bindings).toHex(), 'other'],
          'its base64 with a line break': [(bindings) => `${own[version](bindings)}\n`, 'other'],
          'the binding of the other version': [
            version === 'TLSv1.3' ? own['TLSv1.2'] : own['TLSv1.3'],
            'other',
          ],
        };
        for (const [name, [challenge, observed]] of Object.entries(unbound)) {
          const verdict = demand === 'required' ? 'is refused' : 'binds nothing, and is taken';
          test(`${name} ${verdict}`, async () => {
            const device = await expected(template);
            if (demand === 'optional') {
              await assertIssued(() => enroll(device, version, challenge), observed);
              return;
            }
            const answer = await enroll(device, version, challenge);
            const entry = await assertRefused(authority, answer, 400, ['binding-present']);
            assert.equal(entry.observations.request?.channelBinding, observed);
          });
        }
      });
    }

    test(`${version}: a renewal is bound as well`, async () => {
      const device = await expected('bound');
      const answer = await enroll(device, version, own[version]);
      const [certificate] = answer.certificates;
      const renew = (challenge: Challenge) =>
        exchangeOnTls({
          url: `${authority.est}/bound/simplereenroll`,
          trust: authority.trustPem,
          version,
          client: { certificate: certificate!, key: device.key },
          csr: (bindings) => renewalCsr(certificate!, device.key, noted(challenge(bindings))),
        });
      await assertRefused(authority, await renew(() => null), 400, ['binding-present']);
      await assertRefused(
        authority,
        await renew(() => base64(randomBytes(version === 'TLSv1.2' ? 12 : 32))),
        400,
        ['binding-matches', 'binding-present'],
      );
      await assertIssued(() => renew(own[version]), kinds[version]);
    });

    test(`${version}: a 202 is asked again on a new connection, with its binding and the same key`, async () => {
      const device = await TestDevice.unapproved(authority, `waiting-${version}`, { template: 'bound' });
      const held = await enroll(device, version, own[version]);
      assert.equal(held.status, 202, held.text);
      const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
      await authority.admin.client.perform('approveRequest', { id: items[0]!.id });
      const stale = await enroll(device, version, () => base64(randomBytes(version === 'TLSv1.2' ? 12 : 32)));
      await assertRefused(authority, stale, 400, ['binding-matches', 'binding-present']);
      const { certificates } = await assertIssued(
        () => enroll(device, version, own[version]),
        kinds[version],
      );
      // And once more: what was issued is delivered again to the same key, on whatever connection.
      const again = await enroll(device, version, own[version]);
      assert.deepEqual(again.certificates, certificates);
    });
  }

  test('what is issued already is not delivered again without a binding', async () => {
    const device = await expected('bound');
    await assertIssued(() => enroll(device, 'TLSv1.3', own['TLSv1.3']), 'tls-exporter');
    await assertRefused(authority, await enroll(device, 'TLSv1.3', () => null), 400, ['binding-present']);
  });

  test('a wrong secret learns nothing of the binding', async () => {
    const device = await expected('bound');
    device.secret = 'wrong';
    const answer = await enroll(device, 'TLSv1.3', () => base64(randomBytes(32)));
    assert.equal(answer.status, 401, answer.text);
  });

  describe('tls-unique sent on TLS 1.3 is no binding there:', () => {
    const cases = {
      'the Finished of the client': ({ finished }: ConnectionBindings) => base64(finished),
      'the Finished of the server': ({ peerFinished }: ConnectionBindings) => base64(peerFinished),
    };
    for (const [ciphers, octets] of [
      ['TLS_AES_128_GCM_SHA256', 32],
      ['TLS_AES_256_GCM_SHA384', 48],
    ] as const) {
      for (const [name, challenge] of Object.entries(cases)) {
        test(`${name}, ${octets} octets: taken where none is demanded, refused where one is`, async () => {
          const checked: Challenge = (bindings) => {
            assert.equal(bindings.finished.length, octets);
            return challenge(bindings);
          };
          const device = await expected('device');
          await assertIssued(() => enroll(device, 'TLSv1.3', checked, ciphers), 'other');
          const answer = await enroll(await expected('bound'), 'TLSv1.3', checked, ciphers);
          const entry = await assertRefused(authority, answer, 400, ['binding-present']);
          assert.equal(entry.observations.request?.channelBinding, 'other');
        });
      }

      test(`a Finished of another connection, ${octets} octets, binds nothing`, async () => {
        let stolen = '';
        await enroll(
          await expected('device'),
          'TLSv1.3',
          ({ finished }) => (stolen = base64(finished)),
          ciphers,
        );
        const answer = await enroll(await expected('bound'), 'TLSv1.3', () => stolen, ciphers);
        // 32 octets are taken for another connection's tls-exporter.
        const controls = octets === 32 ? ['binding-matches', 'binding-present'] : ['binding-present'];
        await assertRefused(authority, answer, 400, controls);
      });
    }
  });

  test('the Finished of the server is not tls-unique of TLS 1.2, for the client speaks first', async () => {
    const answer = await enroll(await expected('bound'), 'TLSv1.2', ({ peerFinished }) =>
      base64(peerFinished),
    );
    await assertRefused(authority, answer, 400, ['binding-matches', 'binding-present']);
  });

  test('what a refusal tells the client is the binding alone', async () => {
    const device = await expected('bound');
    const answer = await enroll(device, 'TLSv1.3', () => null);
    assert.match(answer.text, /challengePassword/);
    assert.equal((await entryOf(authority, answer)).outcome, 'refused');
  });

  // The last, for it looks for what the others sent, and ends the authority.
  test('the challengePassword of no request is in any file or fault report', async () => {
    assert.ok(sent.length > 60);
    assert.deepEqual(authority.faults.slice(told), []);
    const { directory, faults } = authority;
    const where = { directory, faults, control: 'tls-exporter' };
    await assertNowhere(sent, where);
    await authority.running.close();
    await assertNowhere(sent, where);
  });
});
