import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import {
  askWith,
  authorityWithIdentities,
  type IdentityAsking,
  type IdentityAuthority,
  inventoryDevice,
  issuedTo,
  nobody,
  stranger,
  strangerOfOtherPurpose,
} from '../harness/identity-authority.ts';
import { type Certified, TestCa } from '../harness/pki.ts';

const day = 86_400_000;

/** An identity from elsewhere in wrong hands, or a wrong one: what does it get? */
describe('an identity from elsewhere', () => {
  const cleanup = suiteCleanup();
  const root = TestCa.root('Example Devices Root');
  const maker = root.intermediate('Example Devices CA 1');
  const mdmCa = TestCa.root('Example MDM CA');
  const raCa = TestCa.root('Example RA CA');
  const ra = raCa.registrationAuthority('ra-1');
  let authority: IdentityAuthority;
  before(async () => {
    authority = await authorityWithIdentities(cleanup, {
      maker: { kind: 'idevid', certificates: [root], templates: ['device'] },
      fleet: { kind: 'mdm', certificates: [mdmCa], device: 'id', from: ['commonName'] },
      office: { kind: 'ra', certificates: [ra, raCa], device: 'id', from: ['commonName'] },
    });
  });
  const device = (more?: Parameters<typeof inventoryDevice>[1]) => inventoryDevice(authority, more);
  const enroll = (client: Certified, id: string, more?: IdentityAsking) =>
    askWith(authority, client, id, more);

  describe('is refused', () => {
    test('of a manufacturer that is not configured', async () => {
      const { id, serialNumber } = await device();
      const other = TestCa.root('Other Devices Root').intermediate('Other Devices CA 1');
      const answer = await enroll(other.idevid({ hardwareModule: serialNumber }), id);
      await assertRefused(authority, answer, 401, stranger);
    });

    test('of a root that is self-made with the name of the manufacturer’s', async () => {
      const { id, serialNumber } = await device();
      const forged = TestCa.root('Example Devices Root');
      const under = forged.intermediate('Example Devices CA 1');
      const sent = [under.certificate, forged.certificate];
      for (const client of [
        forged.idevid({ serialNumber }),
        under.idevid({ serialNumber }),
        under.idevid({ serialNumber }).sending(...sent),
        // The true chain beside it does not help, either.
        under.idevid({ serialNumber }).sending(maker.certificate, root.certificate),
        under.idevid({ serialNumber }).sending(...sent, maker.certificate, root.certificate),
      ]) {
        await assertRefused(authority, await enroll(client, id), 401, stranger);
      }
    });

    test('without the intermediate that its path needs', async () => {
      const { id, serialNumber } = await device();
      await assertRefused(
        authority,
        await enroll(maker.idevid({ serialNumber }).sending(), id),
        401,
        stranger,
      );
    });

    test('with a self-signed certificate that names a device', async () => {
      const { id, serialNumber } = await device();
      const own = TestCa.root('', {
        ca: false,
        keyUsage: ['digitalSignature'],
        subject: [{ type: 'serialNumber', value: serialNumber }],
      });
      await assertRefused(authority, await enroll(own, id), 401, stranger);
    });

    test('of a device that is not in the inventory', async () => {
      const answer = await enroll(maker.idevid({ hardwareModule: 'SN-unheard-of' }), 'device-unheard-of');
      await assertRefused(authority, answer, 403, nobody);
    });

    test('of a device of a class that it may not vouch for', async () => {
      const { id, serialNumber } = await device({ deviceClass: 'kiosk' });
      const answer = await enroll(maker.idevid({ hardwareModule: serialNumber }), id);
      await assertRefused(authority, answer, 403, ['identity-device']);
    });

    test('for a template that it may not vouch for', async () => {
      const { id, serialNumber } = await device({ deviceClass: 'server', approveFor: ['server'] });
      const answer = await enroll(maker.idevid({ serialNumber }), id, { template: 'server' });
      await assertRefused(authority, answer, 403, ['identity-template']);
    });

    test('for a template that does not list its kind', async () => {
      const { id } = await device({ deviceClass: 'server', approveFor: ['server'] });
      const pushed = mdmCa.endEntity({ subject: [{ type: 'commonName', value: id }] });
      for (const client of [pushed, ra]) {
        const answer = await enroll(client, id, { template: 'server' });
        await assertRefused(authority, answer, 403, ['identity-template']);
      }
    });

    test('after its own end', async () => {
      const { id, serialNumber } = await device();
      const answer = await enroll(maker.idevid({ serialNumber, notAfter: Date.now() - 1000 }), id);
      await assertRefused(authority, answer, 403, ['identity-current']);
    });

    test('before its own beginning', async () => {
      const { id, serialNumber } = await device();
      const answer = await enroll(maker.idevid({ serialNumber, notBefore: Date.now() + day }), id);
      await assertRefused(authority, answer, 403, ['identity-current']);
    });

    test('after the end of an intermediate', async () => {
      const { id, serialNumber } = await device();
      const ended = root.intermediate('Example Devices CA 0', { notAfter: Date.now() - day });
      const answer = await enroll(ended.idevid({ serialNumber }), id);
      await assertRefused(authority, answer, 403, ['identity-current']);
    });

    test('as a CA’s own certificate', async () => {
      const { id, serialNumber } = await device();
      const ca = root.intermediate('', { subject: [{ type: 'serialNumber', value: serialNumber }] });
      await assertRefused(authority, await enroll(ca, id), 403, ['identity-purpose']);
    });

    test('as the configured CA’s own certificate', async () => {
      const { id } = await device();
      await assertRefused(authority, await enroll(root, id), 401, strangerOfOtherPurpose);
    });

    test('as the certificate of a CA that stands on the list of registration authorities', async () => {
      const { id } = await device();
      await assertRefused(authority, await enroll(raCa, id), 403, ['identity-purpose']);
    });

    test('below an intermediate that is no CA', async () => {
      const { id, serialNumber } = await device();
      const plain = root.intermediate('Example Devices Desk', { ca: false });
      await assertRefused(authority, await enroll(plain.idevid({ serialNumber }), id), 401, stranger);
    });

    test('below an intermediate that may not sign certificates', async () => {
      const { id, serialNumber } = await device();
      const plain = root.intermediate('Example Devices CRL', { keyUsage: ['cRLSign'] });
      await assertRefused(authority, await enroll(plain.idevid({ serialNumber }), id), 401, stranger);
    });

    test('on a path that is longer than a CA above allows', async () => {
      const { id, serialNumber } = await device();
      const below = (pathLength: number) =>
        root.intermediate('Example Devices CA 2', { pathLength }).intermediate('Example Devices CA 3');
      const answer = await enroll(below(0).idevid({ serialNumber }), id);
      await assertRefused(authority, answer, 401, stranger);
      assert.equal((await enroll(below(1).idevid({ serialNumber }), id)).status, 200);
    });

    test('signed by another device’s identity', async () => {
      const [thief, victim] = [await device(), await device()];
      const issuing = TestCa.of(maker.idevid({ serialNumber: thief.serialNumber }));
      const answer = await enroll(issuing.idevid({ serialNumber: victim.serialNumber }), victim.id);
      await assertRefused(authority, answer, 401, stranger);
    });

    test('signed by a registration authority', async () => {
      const { id, serialNumber } = await device();
      const issuing = TestCa.of(ra);
      await assertRefused(authority, await enroll(issuing.idevid({ serialNumber }), id), 401, stranger);
      const answer = await enroll(issuing.registrationAuthority('ra-1'), id);
      await assertRefused(authority, answer, 401, strangerOfOtherPurpose);
    });

    test('with id-kp-cmcRA in a device’s own identity', async () => {
      const { id, serialNumber } = await device();
      const client = maker.idevid({ serialNumber, extendedKeyUsage: ['clientAuth', 'cmcRA'] });
      await assertRefused(authority, await enroll(client, id), 403, ['identity-purpose']);
    });

    test('with an extended key usage for something else', async () => {
      const { id, serialNumber } = await device();
      const client = maker.idevid({ serialNumber, extendedKeyUsage: ['serverAuth', 'codeSigning'] });
      await assertRefused(authority, await enroll(client, id), 403, ['identity-purpose']);
    });

    test('under a CA that is for something else, whatever it says of itself', async () => {
      const { id, serialNumber } = await device();
      const servers = root.intermediate('Example Devices Web CA', { extendedKeyUsage: ['serverAuth'] });
      for (const more of [{}, { extendedKeyUsage: ['clientAuth'] as const }]) {
        const client = servers.idevid({ serialNumber, ...more });
        await assertRefused(authority, await enroll(client, id), 403, ['identity-purpose']);
      }
      const clients = root.intermediate('Example Devices CA 4', {
        extendedKeyUsage: ['serverAuth', 'clientAuth'],
      });
      assert.equal((await enroll(clients.idevid({ serialNumber }), id)).status, 200);
    });

    test('with a key that may not sign', async () => {
      const { id, serialNumber } = await device();
      const client = maker.idevid({ serialNumber, keyUsage: ['keyEncipherment'] });
      await assertRefused(authority, await enroll(client, id), 403, ['identity-purpose']);
    });

    test('for a device that is suspended, and open again when it is resumed', async () => {
      const { id, serialNumber } = await device();
      const client = maker.idevid({ serialNumber });
      await authority.admin.client.perform('suspendDevice', { id });
      await assertRefused(authority, await enroll(client, id), 403, ['device-state']);
      await authority.admin.client.perform('resumeDevice', { id });
      assert.equal((await enroll(client, id)).status, 200);
    });

    test('for a renewal, whatever its kind', async () => {
      const { id, serialNumber } = await device();
      const renewal = [
        'renewal-issued-here',
        'renewal-known',
        'renewal-names',
        'renewal-template',
        'renewal-unrevoked',
      ];
      for (const client of [maker.idevid({ serialNumber }), ra]) {
        const answer = await enroll(client, id, { operation: 'simplereenroll' });
        const entry = await assertRefused(authority, answer, 403, renewal);
        assert.equal(entry.action, 'renew');
      }
      assert.equal(await issuedTo(authority, id), 0);
    });

    test('for a renewal of the certificate that it got, with the same names and key', async () => {
      const { id } = await device();
      const pushed = mdmCa.endEntity({ subject: [{ type: 'commonName', value: id }] });
      assert.equal((await enroll(pushed, id)).status, 200);
      const answer = await enroll(pushed, id, { operation: 'simplereenroll' });
      assert.equal(answer.status, 403, answer.text);
      const { verdict } = await entryOf(authority, answer);
      const controls = new Set(verdict.objections.map(({ control }) => control));
      assert.ok(controls.has('renewal-issued-here') && controls.has('renewal-known'));
    });
  });

  describe('beside a secret', () => {
    test('counts for nothing: the secret of another device gets no certificate of its device', async () => {
      const [own, other] = [await device(), await device()];
      const client = maker.idevid({ serialNumber: own.serialNumber });
      const secret = await authority.admin.secret(other.id);
      const answer = await enroll(client, own.id, { user: [other.id, secret] });
      await assertRefused(authority, answer, 400, ['request-subject']);
      assert.equal((await enroll(client, other.id, { user: [other.id, secret] })).status, 200);
      assert.deepEqual([await issuedTo(authority, own.id), await issuedTo(authority, other.id)], [0, 1]);
    });

    test('does not make up for a wrong one', async () => {
      const { id, serialNumber } = await device();
      const user = [id, 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA'] as const;
      const answer = await enroll(maker.idevid({ serialNumber }), id, { user });
      const { verdict } = await entryOf(authority, answer);
      assert.equal(answer.status, 401, answer.text);
      const controls = verdict.objections.map(({ control }) => control);
      assert.ok(controls.includes('secret-known') && controls.includes('authentication'));
      assert.ok(!controls.some((control) => control.startsWith('identity-')));
      assert.equal(await issuedTo(authority, id), 0);
    });
  });

  test('made no fault in the authority', () => {
    const isFault = (each: unknown) => (each as { readonly id: string }).id !== 'finding';
    assert.deepEqual(authority.faults.filter(isFault), []);
  });

  test('was refused as the log replays it', async () => {
    const verified = await sallyportHere('log', 'verify', '--json', '--config', authority.configuration);
    assert.equal(verified.code, 0, verified.stdout);
  });
});
