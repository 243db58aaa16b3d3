import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  assembleSigned,
  buildName,
  type Der,
  encodeName,
  encodeTbsCertificate,
  encodeSubjectAltName,
  extensionOids,
  type GeneralName,
} from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type CsrSettings, csrFor, makeCsr, makeKey } from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { base64, est, type EstAnswer } from '../harness/est-client.ts';
import { entryOf } from '../harness/expect.ts';

const uris = (count: number, length: number): GeneralName[] =>
  Array.from({ length: count }, (_, number) => ({
    kind: 'uri',
    value: `urn:${number}:`.padEnd(length, 'x'),
  }));

/** A stranger's request that is too large for an entry of the log: refused in the log, never beside it. */
describe('a request that the log has no room for', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });
  after(() => assert.deepEqual(authority.faults, []));

  async function assertTooLarge(ask: () => Promise<EstAnswer>): Promise<void> {
    const from = await logSize(authority);
    const answer = await ask();
    assert.equal(answer.status, 413, answer.text);
    const { outcome, error } = await entryOf(authority, answer);
    assert.deepEqual([outcome, error?.code], ['malformed', 'too-large']);
    assert.equal((await requestEntriesOf(authority, from)).length, 1);
  }
  const key = makeKey();
  const post = (csr: Uint8Array) =>
    est({ url: `${authority.est}/simpleenroll`, body: base64(csr), trust: authority.trustPem });

  const cases: Record<string, Partial<CsrSettings>> = {
    'a long extension': { extensions: [{ oid: '1.2.3.4', critical: false, value: Buffer.alloc(48_000, 4) }] },
    'very many alternative names': { subjectAltName: uris(250, 100) },
    // One of these characters is six in the log.
    'a subject of control characters': {
      subject: Array.from({ length: 60 }, () => ({ type: 'commonName', value: '\u0001'.repeat(64) })),
    },
  };
  for (const [name, settings] of Object.entries(cases)) {
    test(`for ${name} is refused with 413, in the log`, async () => {
      await assertTooLarge(() => post(makeCsr({ key, ...settings })));
    });
  }

  test('for the names of its client certificate is refused with 413, in the log', async () => {
    const certificate = selfSigned(uris(250, 100));
    await assertTooLarge(() =>
      est({
        url: `${authority.est}/simplereenroll`,
        body: base64(csrFor('laptop', key)),
        client: { certificate, key },
        trust: authority.trustPem,
      }),
    );
  });

  test('is larger than any honest one: a hundred long names are judged, with as many in the client certificate', async () => {
    const names = Array.from({ length: 100 }, (_, number): GeneralName => ({
      kind: 'dns',
      value: `host-${number}.a-long-department.example.org`,
    }));
    const answer = await est({
      url: `${authority.est}/simplereenroll`,
      body: base64(csrFor('laptop', key, { subjectAltName: names })),
      client: { certificate: selfSigned(names), key },
      trust: authority.trustPem,
    });
    assert.equal(answer.status, 403, answer.text);
    assert.equal((await entryOf(authority, answer)).outcome, 'refused');
  });

  function selfSigned(subjectAltName: readonly GeneralName[]): Der {
    const name = encodeName(buildName([{ type: 'commonName', value: 'laptop' }]));
    const tbs = encodeTbsCertificate({
      serialNumber: '6f'.repeat(16),
      signatureAlgorithm: 'ec-p256',
      issuer: name,
      notBefore: Date.now() - 86_400_000,
      notAfter: Date.now() + 86_400_000,
      subject: buildName([{ type: 'commonName', value: 'laptop' }]),
      spki: key.spki,
      extensions: [
        { oid: extensionOids.subjectAltName, critical: false, value: encodeSubjectAltName(subjectAltName) },
      ],
    });
    return assembleSigned(tbs, 'ec-p256', sign('sha256', tbs, key.privateKey));
  }
});
