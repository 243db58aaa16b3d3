import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { buildName, der, readDer } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entryOf } from '../harness/expect.ts';
import { csrFor, makeCsr, makeKey } from '../harness/csr.ts';
import {
  issuerAndSerial,
  issuerAndSubject,
  type ScepAnswer,
  type ScepMessage,
  selfSigned,
} from '../harness/scep-client.ts';
import { ScepDevice } from '../harness/scep-device.ts';

const nameOf = (id: string) => buildName([{ type: 'commonName', value: id }]);
const failInfos = { badMessageCheck: '1', badRequest: '2', badCertId: '4' } as const;

/** What stays of an answer when nonces, time, signature and support code are left out. */
const words = ({ status, type, pkiStatus, failInfo, text }: ScepAnswer) => ({
  status,
  type,
  pkiStatus,
  failInfo,
  text: text.replace(/R(?:-[0-9A-Z]{4}){4}/, 'R'),
});

/** What somebody learns of a message that another one encrypted. */
describe('messages of SCEP that are not what they should be', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });
  let devices = 0;
  const name = () => `scep-${(devices += 1)}`;
  const certificates = async (id: string) => {
    const { items } = await authority.admin.client.perform('listCertificates', { device: id });
    return items.length;
  };
  test("somebody else's envelope under one's own self-signed signature is opened for nobody", async () => {
    const device = await ScepDevice.make(authority, name());
    const content = csrFor(device.id, device.key, { challengePassword: device.secret });
    const envelope = device.client.envelope({ content });
    const thief = makeKey('rsa-2048');
    const signer = selfSigned(thief, nameOf(device.id));
    const answer = await device.client.ask({ content, envelope, key: thief, signer });
    assert.deepEqual([answer.pkiStatus, answer.failInfo], ['failure', failInfos.badMessageCheck]);
    const { error } = await entryOf(authority, answer);
    assert.match(error!.message, /self-signed certificate of another key/);
    // And the secret is not used up by it.
    assert.equal((await device.enroll()).pkiStatus, 'success');
  });

  test('whatever comes of decrypting is told with the same words', async () => {
    const device = await ScepDevice.make(authority, name());
    const { client, key } = device;
    const signer = selfSigned(key, nameOf(device.id));
    const content = csrFor(device.id, key, { challengePassword: device.secret });
    const envelope = client.envelope({ content });
    const flipped = (at: number) => {
      const copy = Buffer.from(envelope);
      copy[copy.length - at]! ^= 0x40;
      return copy;
    };
    const wrongKey = Buffer.from(envelope);
    // In the middle of the encrypted key: the envelope's first large octet string.
    wrongKey[200]! ^= 1;
    const wrong: Record<string, Partial<ScepMessage>> = {
      'the last block, and with it the padding': { envelope: flipped(1) },
      'a block in the middle': { envelope: flipped(200) },
      'the encrypted key': { envelope: wrongKey },
      'no request at all': { content: Buffer.from('nothing of the kind') },
      'octets that are nothing': { content: Buffer.alloc(0) },
      'a request signed by another key': {
        content: makeCsr({
          key,
          subject: [{ type: 'commonName', value: device.id }],
          challengePassword: device.secret,
          signWith: makeKey('rsa-2048'),
        }),
      },
      'a request for another key': {
        content: csrFor(device.id, makeKey('rsa-2048'), { challengePassword: device.secret }),
      },
    };
    const seen = new Set<string>();
    for (const [what, change] of Object.entries(wrong)) {
      const answer = await client.ask({ content, key, signer, ...change });
      assert.equal(answer.pkiStatus, 'failure', what);
      seen.add(JSON.stringify(words(answer)));
      assert.equal((await entryOf(authority, answer)).outcome, 'malformed', what);
    }
    assert.equal(seen.size, 1, [...seen].join('\n'));
    assert.match([...seen][0]!, /"failInfo":"1"/);
    assert.equal(await certificates(device.id), 0);
  });

  test('a poll says the same whatever it hides, and a look-up whatever cannot be read or found', async () => {
    const device = await ScepDevice.enrolled(authority, name());
    const { client, key } = device;
    const stranger = selfSigned(key, nameOf(device.id));
    const contents = [
      issuerAndSubject(client.cas[0]!, nameOf(device.id)),
      issuerAndSerial(client.cas[0]!, '0badc0de'),
      csrFor(device.id, key),
      Buffer.from('nothing of the kind'),
    ];
    for (const [messageType, signer, failInfo] of [
      ['20', stranger, failInfos.badRequest],
      ['20', device.certificate!, failInfos.badRequest],
      ['21', stranger, failInfos.badCertId],
      ['21', device.certificate!, failInfos.badCertId],
      ['22', stranger, failInfos.badCertId],
    ] as const) {
      const seen = new Set<string>();
      for (const content of contents) {
        const good = client.envelope({ content });
        for (const at of [null, 1, 20]) {
          const envelope = Buffer.from(good);
          if (at !== null) envelope[envelope.length - at]! ^= 0x40;
          const answer = await client.ask({
            content,
            key,
            signer,
            messageType,
            envelope,
            transactionId: 'none',
          });
          assert.equal(answer.failInfo, failInfo, answer.text);
          seen.add(JSON.stringify(words(answer)));
        }
      }
      assert.equal(seen.size, 1, [...seen].join('\n'));
    }
  });

  test('a message without signers, with two, and signed by another key than its certificate’s', async () => {
    const device = await ScepDevice.make(authority, name());
    const content = csrFor(device.id, device.key, { challengePassword: device.secret });
    const { body, ...asker } = await device.client.build({ content, key: device.key });
    const post = (bytes: Uint8Array) => device.client.post({ body: bytes, ...asker });
    // The signature is the last of it.
    const wrong = await post(Buffer.from(body).fill(1, body.length - 1));
    assert.deepEqual([wrong.status, /does not verify/.test(wrong.text)], [400, true], wrong.text);
    for (const change of [withSigners(body, 0), withSigners(body, 2)]) {
      const answer = await post(change);
      assert.deepEqual([answer.status, /exactly one signer/.test(answer.text)], [400, true], answer.text);
    }
    assert.equal(await certificates(device.id), 0);
  });
});

/** The message with so many of its one SignerInfo. */
function withSigners(body: Uint8Array, count: number): Uint8Array {
  const [type, content] = [...readDer(body).sequence('ContentInfo')];
  const [signed] = [...content!.children('content')];
  const parts = [...signed!.sequence('SignedData')];
  const [info] = [...parts.at(-1)!.set('signerInfos')];
  const infos = der.set(...Array.from({ length: count }, () => info!.der));
  const rebuilt = der.sequence(...parts.slice(0, -1).map((part) => part.der), infos);
  return der.sequence(type!.der, der.explicit(0, rebuilt));
}
