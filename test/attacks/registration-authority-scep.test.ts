import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parseCertificate } from '#x509';
import { suiteCleanup } from '../harness/cleanup.ts';
import { type ClientKey, csrFor, makeKey } from '../harness/csr.ts';
import { entryOf } from '../harness/expect.ts';
import {
  authorityWithIdentities,
  type IdentityAuthority,
  inventoryDevice,
  issuedTo,
  strangerOfOtherPurpose,
} from '../harness/identity-authority.ts';
import { type Certified, TestCa } from '../harness/pki.ts';
import { issuerAndSubject, ScepClient, type ScepMessage } from '../harness/scep-client.ts';

/** A registration authority signs messages of SCEP for devices, whose keys it does not hold: who may, and for whom? */
describe('a registration authority that speaks SCEP', () => {
  const cleanup = suiteCleanup();
  const raCa = TestCa.root('Example RA CA');
  const made = (name: string, more = {}) =>
    raCa.registrationAuthority(name, { key: makeKey('rsa-2048'), ...more });
  const ra = made('ra-1');
  const withoutCmcRa = made('ra-2', { extendedKeyUsage: ['clientAuth'] });
  const ofServers = made('ra-3');
  const unlisted = made('ra-4');
  let authority: IdentityAuthority;
  let client: ScepClient;
  before(async () => {
    const office = { kind: 'ra', device: 'id', from: ['commonName'] } as const;
    authority = await authorityWithIdentities(cleanup, {
      office: { ...office, certificates: [ra, withoutCmcRa] },
      hall: { ...office, certificates: [ofServers], classes: ['server'] },
    });
    client = await ScepClient.at(`${authority.scep}/device`);
  });

  const ask = async (signer: Certified, content: Uint8Array, more: Partial<ScepMessage> = {}) =>
    client.ask({ content, key: signer.key, signer: parseCertificate(signer.certificate), ...more });
  const keyOf = (device: string, key: ClientKey = makeKey(), secret?: string) =>
    csrFor(device, key, secret === undefined ? {} : { challengePassword: secret });
  const objectionsTo = async (answer: Awaited<ReturnType<typeof ask>>) => {
    const { outcome, verdict } = await entryOf(authority, answer);
    assert.equal(outcome, 'refused');
    return verdict.objections.map(({ control }) => control);
  };

  test('gets a certificate for the key of a device, whatever the key is, since the answer is for its own', async () => {
    const { id } = await inventoryDevice(authority);
    const key = makeKey('ec-p256');
    const answer = await ask(ra, keyOf(id, key));
    assert.equal(answer.pkiStatus, 'success', answer.text);
    assert.deepEqual(parseCertificate(answer.certificates[0]!).spki, new Uint8Array(key.spki));
  });

  test('polls for what was held, under its own key and transactionID', async () => {
    const { id } = await inventoryDevice(authority, { approveFor: [] });
    const content = keyOf(id);
    const held = await ask(ra, content, { transactionId: 'ra-polls' });
    assert.equal(held.pkiStatus, 'pending', held.text);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const request = items.find(({ device }) => device === id)!;
    await authority.admin.client.perform('approveRequest', { id: request.id });
    const poll = async (signer: Certified) => {
      const { subject } = parseCertificate(ra.certificate);
      const hidden = issuerAndSubject(client.cas[0]!, subject);
      return ask(signer, hidden, { messageType: '20', transactionId: 'ra-polls' });
    };
    assert.equal((await poll(unlisted)).failInfo, '2');
    assert.equal((await poll(ra)).pkiStatus, 'success');
  });

  test('that is not listed, though of the same CA, is a stranger', async () => {
    const { id } = await inventoryDevice(authority);
    const answer = await ask(unlisted, keyOf(id));
    assert.equal(answer.failInfo, '2', answer.text);
    assert.deepEqual((await objectionsTo(answer)).toSorted(), strangerOfOtherPurpose.toSorted());
    assert.equal(await issuedTo(authority, id), 0);
  });

  test('without id-kp-cmcRA is refused, though listed, and a secret of the device beside it helps nothing', async () => {
    const { id } = await inventoryDevice(authority);
    const secret = await authority.admin.secret(id);
    for (const content of [keyOf(id), keyOf(id, makeKey(), secret)]) {
      const answer = await ask(withoutCmcRa, content);
      assert.equal(answer.failInfo, '4', answer.text);
      assert.deepEqual(await objectionsTo(answer), ['identity-purpose']);
    }
    assert.equal(await issuedTo(authority, id), 0);
  });

  test('is refused for a device of a class that it does not speak for', async () => {
    const { id } = await inventoryDevice(authority);
    const answer = await ask(ofServers, keyOf(id));
    assert.equal(answer.pkiStatus, 'failure', answer.text);
    assert.equal(await issuedTo(authority, id), 0);
  });
});
