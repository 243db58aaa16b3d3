import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { requireClient } from '../clients.ts';
import { sallyportHere } from '../harness/authority.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeCsr, makeKey } from '../harness/csr.ts';
import { assertRefused } from '../harness/expect.ts';
import {
  askWith,
  authorityWithIdentities,
  type IdentityAsking,
  type IdentityAuthority,
  inventoryDevice,
  nobody,
  stranger,
  strangerOfOtherPurpose,
} from '../harness/identity-authority.ts';
import { type Certified, TestCa } from '../harness/pki.ts';

const day = 86_400_000;

/** A registration authority speaks for devices: who is one, and for whom? RFC 7030 section 3.3.2. */
describe('a registration authority', () => {
  const cleanup = suiteCleanup();
  const raCa = TestCa.root('Example RA CA');
  const ra = raCa.registrationAuthority('ra-1');
  const withoutCmcRa = raCa.registrationAuthority('ra-2', { extendedKeyUsage: ['clientAuth'] });
  const withoutUsage = raCa.endEntity({ subject: [{ type: 'commonName', value: 'ra-3' }] });
  const expiredRa = raCa.registrationAuthority('ra-4', { notAfter: Date.now() - day });
  const mdmCa = TestCa.root('Example MDM CA');
  const raOfMdm = mdmCa.registrationAuthority('ra-6');
  let authority: IdentityAuthority;
  before(async () => {
    const certificates = [ra, withoutCmcRa, withoutUsage, expiredRa, raCa];
    authority = await authorityWithIdentities(cleanup, {
      office: { kind: 'ra', certificates, device: 'id', from: ['commonName'] },
    });
  });
  const device = (more?: Parameters<typeof inventoryDevice>[1]) => inventoryDevice(authority, more);
  const enroll = (client: Certified, id: string, more?: IdentityAsking) =>
    askWith(authority, client, id, more);

  test('is refused where it is not on the list, though of the same CA', async () => {
    const { id } = await device();
    for (const client of [
      raCa.registrationAuthority('ra-5'),
      raCa.registrationAuthority('ra-1', { key: ra.key }),
    ]) {
      await assertRefused(authority, await enroll(client, id), 401, strangerOfOtherPurpose);
    }
  });

  test('is refused without id-kp-cmcRA, though on the list', async () => {
    const { id } = await device();
    for (const client of [withoutCmcRa, withoutUsage]) {
      await assertRefused(authority, await enroll(client, id), 403, ['identity-purpose']);
    }
  });

  test('on the list is one, though an MDM’s CA issued it, and replays as such', async () => {
    const own = await authorityWithIdentities(cleanup, {
      zebra: { kind: 'mdm', certificates: [mdmCa], device: 'id', from: ['commonName'] },
      aardvark: { kind: 'ra', certificates: [raOfMdm], device: 'id', from: ['commonName'] },
    });
    const { id } = await inventoryDevice(own);
    const answer = await askWith(own, raOfMdm, id, { csr: csrFor(id, makeKey()) });
    assert.equal(answer.status, 200, answer.text);
    const verified = await sallyportHere('log', 'verify', '--json', '--config', own.configuration);
    assert.equal(verified.code, 0, verified.stdout);
  });

  test('with a CA beside it on the list shortens no path of another identity, and that CA vouches for nobody', async () => {
    const root = TestCa.root('Example Root');
    const between = root.intermediate('Example CA 1');
    const apart = TestCa.root('Example Other Root');
    const office = between.registrationAuthority('ra-7');
    const own = await authorityWithIdentities(cleanup, {
      fleet: { kind: 'mdm', certificates: [root], device: 'id', from: ['commonName'] },
      office: { kind: 'ra', certificates: [office, between, apart], device: 'id', from: ['commonName'] },
    });
    const { id } = await inventoryDevice(own);
    const named = { subject: [{ type: 'commonName', value: id }] };
    await assertRefused(own, await askWith(own, apart.endEntity(named), id), 401, stranger);
    const answer = await askWith(own, between.endEntity(named), id);
    assert.equal(answer.status, 200, answer.text);
  });

  test('has its CA named in the handshake, for clients that send no certificate otherwise', async (t) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const folder = await ClientFolder.make(cleanup);
    const { host } = new URL(authority.est);
    const { stdout } = await folder.must(openssl, 's_client', '-connect', host);
    assert.match(
      stdout.toString(),
      /Acceptable client certificate CA names\n(?:.+\n)*CN ?= ?Example RA CA\n/,
    );
  });

  test('is refused after its end', async () => {
    const { id } = await device();
    await assertRefused(authority, await enroll(expiredRa, id), 403, ['identity-current']);
  });

  test('is refused for a device of a class that it may not vouch for', async () => {
    const { id } = await device({ deviceClass: 'kiosk' });
    await assertRefused(authority, await enroll(ra, id), 403, ['identity-device']);
  });

  test('is refused for a request that names two devices, or one of them twice', async () => {
    const [first, second] = [await device(), await device()];
    for (const ids of [
      [first.id, second.id],
      [second.id, first.id],
      [first.id, first.id],
    ]) {
      const subject = ids.map((value) => ({ type: 'commonName', value }));
      const csr = makeCsr({ key: makeKey(), subject });
      await assertRefused(authority, await enroll(ra, first.id, { csr }), 403, nobody);
    }
  });

  test('is refused for a request that names nobody', async () => {
    const csr = makeCsr({ key: makeKey() });
    await assertRefused(authority, await enroll(ra, '', { csr }), 403, nobody);
  });

  test('is refused for names of another device than the one it asks for', async () => {
    const [own, other] = [await device(), await device()];
    const csr = csrFor(own.id, makeKey(), {
      subjectAltName: [{ kind: 'dns', value: `${other.id}.example.org` }],
    });
    await assertRefused(authority, await enroll(ra, own.id, { csr }), 400, ['request-subject-alt-name']);
  });

  test('is refused for one key for two devices', async () => {
    const [first, second] = [await device(), await device()];
    const key = makeKey();
    assert.equal((await enroll(ra, first.id, { csr: csrFor(first.id, key) })).status, 200);
    const answer = await enroll(ra, second.id, { csr: csrFor(second.id, key) });
    await assertRefused(authority, answer, 400, ['key-unshared']);
  });

  test('is refused for a request that the key in it did not sign', async () => {
    const { id } = await device();
    const csr = csrFor(id, makeKey(), { signWith: ra.key });
    await assertRefused(authority, await enroll(ra, id, { csr }), 400, ['request-possession']);
  });

  test('made no fault in the authority', () => {
    const isFault = (each: unknown) => (each as { readonly id: string }).id !== 'finding';
    assert.deepEqual(authority.faults.filter(isFault), []);
  });
});
