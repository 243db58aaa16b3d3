import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { base64, type EstAnswer } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import {
  askWith,
  authorityWithIdentities,
  type IdentityAsking,
  type IdentityAuthority,
  inventoryDevice,
  issuedTo,
  lettingIdentitiesIn,
  stranger,
} from '../harness/identity-authority.ts';
import { type Certified, TestCa } from '../harness/pki.ts';

/** The key of a device's identity in other hands: the device has its certificate, and somebody brings a second key. */
describe('a copied identity', () => {
  const cleanup = suiteCleanup();
  const root = TestCa.root('Example Devices Root');
  const maker = root.intermediate('Example Devices CA 1');
  const ra = TestCa.root('Example RA CA').registrationAuthority('ra-1');
  let authority: IdentityAuthority;
  before(async () => {
    authority = await authorityWithIdentities(cleanup, {
      maker: { kind: 'idevid', certificates: [root] },
      office: { kind: 'ra', certificates: [ra], device: 'id', from: ['commonName'] },
    });
  });
  const device = (more?: Parameters<typeof inventoryDevice>[1]) => inventoryDevice(authority, more);
  const enroll = (client: Certified, id: string, more?: IdentityAsking) =>
    askWith(authority, client, id, more);

  async function assertHeld(
    of: IdentityAuthority,
    answer: EstAnswer,
    controls: readonly string[],
  ): Promise<void> {
    assert.equal(answer.status, 202, answer.text);
    const entry = await entryOf(of, answer);
    assert.equal(entry.outcome, 'held');
    assert.deepEqual(entry.verdict.objections.map(({ control }) => control).sort(), controls);
  }

  test('is held with a second key, after its device has a certificate', async () => {
    const { id, serialNumber } = await device();
    const client = maker.idevid({ hardwareModule: serialNumber });
    assert.equal((await enroll(client, id, { csr: csrFor(id, makeKey()) })).status, 200);
    const answer = await enroll(client, id, { csr: csrFor(id, makeKey()) });
    await assertHeld(authority, answer, ['enrollment-again', 'first-enrollment']);
    assert.equal(await issuedTo(authority, id), 1);
  });

  test('is held as well where a second identity of the same device brings the key', async () => {
    const { id, serialNumber } = await device();
    assert.equal((await enroll(maker.idevid({ serialNumber }), id)).status, 200);
    await assertHeld(authority, await enroll(maker.idevid({ serialNumber }), id), [
      'enrollment-again',
      'first-enrollment',
    ]);
    await assertHeld(authority, await enroll(ra, id, { csr: csrFor(id, makeKey()) }), [
      'enrollment-again',
      'first-enrollment',
    ]);
  });

  describe('under a policy that lets identities in without approval', () => {
    let open: IdentityAuthority;
    before(async () => {
      const identities = {
        maker: { kind: 'idevid', certificates: [root] },
      } as const;
      open = await authorityWithIdentities(cleanup, identities, lettingIdentitiesIn());
    });

    test('needs no approval', async () => {
      const { id, serialNumber } = await inventoryDevice(open, { approveFor: [] });
      assert.equal((await askWith(open, maker.idevid({ serialNumber }), id)).status, 200);
    });

    test('is refused all the same where it is unknown: a stranger is not let in', async () => {
      const { id, serialNumber } = await inventoryDevice(open, { approveFor: [] });
      const client = TestCa.root('Example Devices Root').idevid({ serialNumber });
      await assertRefused(open, await askWith(open, client, id), 401, stranger);
    });

    test('is held with a second key by enrollment-again alone', async () => {
      const { id, serialNumber } = await inventoryDevice(open, { approveFor: [] });
      const client = maker.idevid({ serialNumber });
      assert.equal((await askWith(open, client, id, { csr: csrFor(id, makeKey()) })).status, 200);
      await assertHeld(open, await askWith(open, client, id, { csr: csrFor(id, makeKey()) }), [
        'enrollment-again',
      ]);
      assert.equal(await issuedTo(open, id), 1);
    });

    test('used at once with two keys gives one certificate', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { id, serialNumber } = await inventoryDevice(open, { approveFor: [] });
        const client = maker.idevid({ serialNumber });
        const answers = await Promise.all(
          [makeKey(), makeKey()].map((key) => askWith(open, client, id, { csr: csrFor(id, key) })),
        );
        assert.deepEqual(
          answers.map(({ status }) => status).toSorted((a, b) => a - b),
          [200, 202],
        );
        const held = answers.find(({ status }) => status === 202)!;
        await assertHeld(open, held, ['enrollment-again']);
        assert.equal(await issuedTo(open, id), 1);
      }
    });

    test('used 20 times at once with one key gives one certificate to all', async () => {
      const { id, serialNumber } = await inventoryDevice(open, { approveFor: [] });
      const client = maker.idevid({ serialNumber });
      const answers = await Promise.all(Array.from({ length: 20 }, () => askWith(open, client, id)));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.equal(new Set(answers.map(({ certificates }) => base64(certificates[0]!))).size, 1);
      assert.equal(await issuedTo(open, id), 1);
    });
  });

  test('made no fault in the authority', () => {
    const isFault = (each: unknown) => (each as { readonly id: string }).id !== 'finding';
    assert.deepEqual(authority.faults.filter(isFault), []);
  });
});
