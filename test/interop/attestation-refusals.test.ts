import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { findClient } from '../clients.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { base64, est, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { TestCa } from '../harness/pki.ts';
import { attestable, type SoftwareTpm, tpmClients, type TpmKey } from '../harness/software-tpm.ts';
import { TpmManufacturer } from '../harness/tpm-manufacturer.ts';
import { type AttestedAuthority, attestedAuthority, TpmDevice } from '../harness/tpm-device.ts';

const missing = tpmClients.map((client) => findClient(client)).find((found) => 'skip' in found);
const skip = missing !== undefined && 'skip' in missing ? missing.skip : false;

const evidence = (...controls: readonly string[]) => [
  'attestation',
  ...controls.map((each) => `attestation-${each}`),
];
/** Of what does not hold by itself nothing else is asked. */
const unsound = evidence('device', 'fresh', 'key', 'sound', 'trusted', 'unused');

/** What TPMs in software certify, and a class that must attest does not take: over EST, from devices that an operator expects, with their secrets. */
describe('evidence of a TPM that is refused', { skip, timeout: 300_000 }, () => {
  const cleanup = suiteCleanup();
  let authority: AttestedAuthority;
  let tpm: SoftwareTpm;
  let other: SoftwareTpm;
  let key: TpmKey;

  before(async () => {
    authority = await attestedAuthority(cleanup);
    const manufacturer = await TpmManufacturer.begin(cleanup);
    [tpm, other] = [await manufacturer.make(cleanup), await manufacturer.make(cleanup)];
    key = await tpm.createKey();
  });

  const certified = (name: string | null, { of = tpm, ca = authority.attestationCa } = {}) =>
    TpmDevice.make(cleanup, of, ca, name);
  async function expected(id: string, deviceClass = 'attested-laptop') {
    await authority.admin.device(id, { deviceClass, approveFor: ['device'] });
    return { id, secret: await authority.admin.secret(id) };
  }
  type Expected = Awaited<ReturnType<typeof expected>>;

  async function ask({ id, secret }: Expected, operation: string, body?: string): Promise<EstAnswer> {
    const url = `${authority.est}/device/${operation}`;
    return est({
      url,
      trust: authority.trustPem,
      user: [id, secret],
      ...(body === undefined ? {} : { body }),
    });
  }
  async function nonceFor(device: Expected): Promise<Uint8Array> {
    const { text } = await ask(device, 'nonce');
    return Buffer.from((JSON.parse(text) as { nonce: string }).nonce, 'base64url');
  }
  const enroll = (device: Expected, request: Uint8Array) => ask(device, 'simpleenroll', base64(request));

  async function refused(answer: EstAnswer, controls: readonly string[], words: RegExp): Promise<void> {
    const { verdict } = await assertRefused(authority, answer, 403, controls);
    assert.match(JSON.stringify(verdict.objections), words);
  }

  test('of another TPM', async () => {
    const device = await expected('anna');
    const request = await (await certified('berta')).request('anna', key, await nonceFor(device));
    await refused(await enroll(device, request), evidence('device'), /it is of berta, and id of device anna/);
  });

  test("of another TPM, with this one's certificate", async () => {
    const device = await expected('carl');
    const [own, theirs] = [await certified('carl'), await certified('carl', { of: other })];
    const thief = await TpmDevice.of(cleanup, { ...theirs, certificates: own.certificates });
    const request = await thief.request('carl', await other.createKey(), await nonceFor(device));
    await refused(await enroll(device, request), unsound, /tpm-signature/);
  });

  test('of another key', async () => {
    const device = await expected('dora');
    const attested = await tpm.createKey();
    const request = await (await certified('dora')).request('dora', key, await nonceFor(device), attested);
    await refused(await enroll(device, request), evidence('key'), /attests another key/);
  });

  test('that was sent before', async () => {
    const device = await expected('erik');
    const request = await (
      await certified('erik')
    ).request('erik', await tpm.createKey(), await nonceFor(device));
    const first = await enroll(device, request);
    assert.equal(first.status, 200, first.text);
    const again = await expected('erik');
    await nonceFor(again);
    const controls = [...evidence('fresh', 'unused'), 'first-enrollment'];
    await refused(await enroll(again, request), controls, /came before, with another request/);
  });

  test('with another nonce', async () => {
    const device = await expected('fritz');
    const own = await certified('fritz');
    const unasked = await own.request('fritz', key, randomBytes(32));
    await refused(await enroll(device, unasked), evidence('fresh'), /no nonce was given out/);
    const [theirs] = [await nonceFor(await expected('frida')), await nonceFor(device)];
    const request = await own.request('fritz', key, theirs);
    await refused(await enroll(device, request), evidence('fresh'), /does not hold the nonce/);
  });

  test('by an attestation key that another CA has certified', async () => {
    const device = await expected('gert');
    const ca = TestCa.root('Attestation CA');
    const request = await (await certified('gert', { ca })).request('gert', key, await nonceFor(device));
    await refused(await enroll(device, request), evidence('trusted'), /no root of this format vouches/);
  });

  test('by an attestation key whose certificate names no device', async () => {
    const device = await expected('hugo');
    const request = await (await certified(null)).request('hugo', key, await nonceFor(device));
    await refused(await enroll(device, request), evidence('device'), /names no permanentIdentifier/);
  });

  test('of software, where the class asks for a TPM that TCG knows', async () => {
    const device = await expected('ida', 'physical-laptop');
    const request = await (await certified('ida')).request('ida', key, await nonceFor(device));
    await refused(await enroll(device, request), evidence('trusted'), /tpm-unregistered/);
  });

  for (const [id, what, words, settings] of [
    ['jan', 'can leave its TPM', /tpm-fixed-tpm/, { attributes: 'sensitivedataorigin|userwithauth|sign' }],
    [
      'jens',
      'signs what the TPM says',
      /tpm-restricted/,
      { algorithm: 'ecc256:ecdsa-sha256:null', attributes: `${attestable}|restricted` },
    ],
  ] as const) {
    test(`of a key that ${what}`, async () => {
      const device = await expected(id);
      const weak = await tpm.createKey(settings);
      const request = await (await certified(id)).request(id, weak, await nonceFor(device));
      await refused(await enroll(device, request), unsound, words);
    });
  }

  /** A TPM in software, or of a virtual machine, can be copied: evidence of the copy is evidence of the TPM, and what tells them apart is who was given a nonce, and when. */
  describe('by a copy of the TPM', () => {
    let own: TpmDevice;
    let copied: TpmDevice;
    let copiedKey: TpmKey;

    before(async () => {
      own = await certified('klara');
      copied = await TpmDevice.of(cleanup, { ...own, tpm: await tpm.copy(cleanup) });
      copiedKey = await copied.tpm.createKey();
    });

    test('with a nonce that was given to who had another secret', async () => {
      const [earlier, device] = [await expected('klara'), await expected('klara')];
      const request = await copied.request('klara', copiedKey, await nonceFor(earlier));
      await nonceFor(device);
      await refused(await enroll(device, request), evidence('fresh'), /does not hold the nonce/);
    });

    test('in the request of the TPM itself', async () => {
      const device = await expected('klara');
      const nonce = await nonceFor(device);
      const request = await copied.request('klara', key, nonce, copiedKey);
      await refused(await enroll(device, request), evidence('key'), /attests another key/);
    });

    test('that has the secret as well is the device, until the device comes', async () => {
      const device = await expected('klara');
      const taken = await enroll(device, await copied.request('klara', copiedKey, await nonceFor(device)));
      assert.equal(taken.status, 200, taken.text);
      const ownKey = await tpm.createKey();
      const request = await own.request('klara', ownKey, await nonceFor(device));
      await assertRefused(authority, await enroll(device, request), 401, [
        'enrollment-again',
        'secret-unused',
      ]);
      const secret = await authority.admin.secret('klara');
      const late = { id: 'klara', secret };
      const answer = await enroll(late, await own.request('klara', ownKey, await nonceFor(late)));
      assert.equal(answer.status, 202, answer.text);
      const { outcome, verdict } = await entryOf(authority, answer);
      assert.equal(outcome, 'held');
      assert.deepEqual(
        verdict.objections.map(({ control }) => control),
        ['enrollment-again'],
      );
    });
  });
});
