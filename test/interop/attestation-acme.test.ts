import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assembleSigned, encodeCertificationRequestInfo, parseCertificate, pemToDer } from '#x509';
import { findClient } from '../clients.ts';
import { AcmeClient, type Json } from '../harness/acme-client.ts';
import { assertObjected } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf, requestEntriesOf } from '../harness/entries.ts';
import { type SoftwareTpm, tpmClients, type TpmKey } from '../harness/software-tpm.ts';
import { TpmManufacturer } from '../harness/tpm-manufacturer.ts';
import { type AttestedAuthority, attestedAuthority, TpmDevice } from '../harness/tpm-device.ts';
import { attestationObject } from '../harness/tpm-evidence.ts';

const missing = tpmClients.map((client) => findClient(client)).find((found) => 'skip' in found);
const skip = missing !== undefined && 'skip' in missing ? missing.skip : false;

/** device-attest-01 with a TPM in software, against the shipped front door: `init`, then `serve`. */
describe('device-attest-01 with a TPM', { skip, timeout: 300_000 }, () => {
  const cleanup = suiteCleanup();
  let authority: AttestedAuthority;
  let tpm: SoftwareTpm;
  let other: SoftwareTpm;

  before(async () => {
    authority = await attestedAuthority(cleanup);
    const manufacturer = await TpmManufacturer.begin(cleanup);
    [tpm, other] = [await manufacturer.make(cleanup), await manufacturer.make(cleanup)];
  });

  async function machine(id: string): Promise<{ readonly client: AcmeClient; readonly device: TpmDevice }> {
    await authority.admin.device(id, { deviceClass: 'attested-laptop' });
    const settings = { device: id, templates: ['hardware'], approve: false };
    const eab = await authority.admin.client.perform('createExternalAccountKey', settings);
    const directory = `${new URL(authority.est).origin}/acme/hardware/directory`;
    const client = await AcmeClient.at(directory, authority.trustPem);
    cleanup.after(() => client.close());
    assert.equal((await client.register(eab)).status, 201);
    return { client, device: await TpmDevice.make(cleanup, tpm, authority.attestationCa, id) };
  }

  async function challenged(client: AcmeClient, id: string) {
    const { body: order } = await client.order([{ type: 'permanent-identifier', value: id }]);
    const { body } = await client.post((order['authorizations'] as string[])[0]!, null);
    const [challenge] = body['challenges'] as { url: string; token: string }[];
    return { order, ...challenge! };
  }

  async function attest(
    client: AcmeClient,
    device: TpmDevice,
    key: TpmKey,
    { url, token }: { readonly url: string; readonly token: string },
  ) {
    const object = await attestationObject(device, key, Buffer.from(client.keyAuthorization(token)));
    const attObj = Buffer.from(object).toString('base64url');
    return { attObj, answer: await client.post(url, { attObj }) };
  }

  async function finalize(client: AcmeClient, order: Json, key: TpmKey) {
    const info = encodeCertificationRequestInfo({ subject: [], spki: key.spki });
    return client.finalize(order, assembleSigned(info, 'ec-p256', await tpm.sign(key, info)));
  }

  async function assertFailed(answer: { readonly body: Json; readonly text: string }, words: RegExp) {
    assert.equal(answer.body['status'], 'invalid', answer.text);
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    assert.match(JSON.stringify(events.at(-1)!['detail']), words);
  }

  test('enrolls, and renews with a new key and new evidence', async () => {
    const { client, device } = await machine('lena');
    for (const expected of ['enroll', 'renew']) {
      const key = await tpm.createKey();
      const challenge = await challenged(client, 'lena');
      const { answer } = await attest(client, device, key, challenge);
      assert.equal(answer.body['status'], 'valid', answer.text);
      const done = await finalize(client, challenge.order, key);
      assert.equal(done.body['status'], 'valid', done.text);
      const leaf = parseCertificate(pemToDer(await client.download(done.body), 'CERTIFICATE')[0]!);
      assert.deepEqual(Buffer.from(leaf.spki), Buffer.from(key.spki));
      const { action, outcome } = (await requestEntriesOf(authority)).findLast(
        ({ certificate }) => certificate !== null,
      )!;
      assert.deepEqual([action, outcome], [expected, 'issued']);
    }
  });

  test('of another TPM', async () => {
    const { client, device } = await machine('mara');
    const stranger = await TpmDevice.make(cleanup, other, authority.attestationCa, 'mona');
    const own = await challenged(client, 'mara');
    await assertFailed(
      (await attest(client, stranger, await other.createKey(), own)).answer,
      /it is of mona, and id of device mara is mara/,
    );
    const thief = await TpmDevice.of(cleanup, { ...stranger, certificates: device.certificates });
    const stolen = await attest(client, thief, await other.createKey(), await challenged(client, 'mara'));
    await assertFailed(stolen.answer, /tpm-signature/);
  });

  test('of another challenge, and of one before', async () => {
    const { client, device } = await machine('nele');
    const key = await tpm.createKey();
    const first = await challenged(client, 'nele');
    const { attObj, answer } = await attest(client, device, key, first);
    assert.equal(answer.body['status'], 'valid', answer.text);
    const next = await challenged(client, 'nele');
    await assertFailed(await client.post(next.url, { attObj }), /does not hold the nonce/);
  });

  test('of another key than is to be certified', async () => {
    const { client, device } = await machine('olga');
    const challenge = await challenged(client, 'olga');
    const { answer } = await attest(client, device, await tpm.createKey(), challenge);
    assert.equal(answer.body['status'], 'valid', answer.text);
    const refused = await finalize(client, challenge.order, await tpm.createKey());
    const controls = ['attestation', 'attestation-key', 'first-enrollment'];
    await assertObjected(authority, refused, 'badAttestationStatement', controls);
  });
});
