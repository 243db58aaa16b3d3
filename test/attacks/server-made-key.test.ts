import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, before, beforeEach, describe, test } from 'node:test';
import { derToPem, parseCertificate, pemToDer } from '#x509';
import { requireClient } from '../clients.ts';
import { authorityInProcess } from '../harness/authority.ts';
import { assertNowhere } from '../harness/canary.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';
import {
  asymmetricDecryptKeyIdentifier,
  type ClientKey,
  csrFor,
  decryptKeyIdentifier,
  makeCsr,
  makeKey,
  privateKeyPem,
  renewalCsr,
} from '../harness/csr.ts';
import { assertRefused } from '../harness/expect.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { type Certified, TestCa } from '../harness/pki.ts';
import { type Holder, partsOf, ServerMadeKeys } from '../harness/server-made-keys.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Whoever asks for a key that the authority makes (RFC 7030 section 4.4) gets no more than whoever brings one, and gets it once. */
describe('a key that the authority makes', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  /** What an operator is told at the start: that keys are made here. */
  let told = 0;
  let keys: ServerMadeKeys;
  before(async () => {
    authority = await authorityInProcess(
      cleanup,
      withTemplates({
        made: { serverKeygen: 'ec-p256' },
        enciphering: {
          serverKeygen: 'ec-p256',
          keyUsage: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
        },
      }),
    );
    told = authority.faults.length;
    keys = new ServerMadeKeys(authority);
  });

  let devices = 0;
  const nextId = () => `laptop-${(devices += 1)}`;
  const expected = (template = 'made') => TestDevice.expected(authority, nextId(), { template });
  const holding = async (template: string) => keys.holder(await expected(template));
  const identifierOf = ({ certificate }: Holder) => parseCertificate(certificate).subjectKeyIdentifier!;
  async function certificatesOf(id: string): Promise<number> {
    return (await authority.admin.client.perform('listCertificates', { device: id })).items.length;
  }
  async function approvePending(id: string): Promise<void> {
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const request = items.find((each) => each.device === id);
    await authority.admin.client.perform('approveRequest', { id: request!.id });
  }

  describe('everything else is judged as ever:', () => {
    test('names of a first enrollment', async () => {
      const device = await expected();
      const another = await keys.first(device, csrFor('laptop-of-the-ceo', device.key));
      await assertRefused(authority, another, 400, ['request-subject']);
      const more = await keys.first(
        device,
        csrFor(device.id, device.key, { subjectAltName: [{ kind: 'dns', value: 'vpn.example.org' }] }),
      );
      await assertRefused(authority, more, 400, ['request-subject-alt-name']);
    });

    test('what an operator approved for a request is not for whoever knows its public key', async () => {
      const device = await TestDevice.unapproved(authority, nextId(), { template: 'made' });
      assert.equal((await keys.first(device)).status, 202);
      await approvePending(device.id);
      const thief = makeKey();
      const subject = [{ type: 'commonName', value: device.id }];
      const forged = makeCsr({ key: thief, spki: device.key.spki, subject });
      await assertRefused(authority, await keys.first(device, forged), 401, [
        'first-enrollment',
        'secret-unused',
      ]);
      keys.assertMade(await keys.first(device));
    });

    test('names of a renewal', async () => {
      const client = await holding('made');
      const answer = await keys.renew(client, {
        subjectAltName: [{ kind: 'dns', value: 'vpn.example.org' }],
      });
      await assertRefused(authority, answer, 400, ['renewal-names', 'request-subject-alt-name']);
    });

    test('the certificate of another template', async () => {
      const client = await holding('enciphering');
      const answer = await keys.post('made', renewalCsr(client.certificate, client.key), { client });
      await assertRefused(authority, answer, 403, ['renewal-template']);
    });

    test('a device that is suspended', async () => {
      const device = await expected();
      await authority.admin.client.perform('suspendDevice', { id: device.id });
      await assertRefused(authority, await keys.first(device), 403, ['device-state']);
    });

    test('a device that nobody approved waits, and gets its key when somebody has', async () => {
      const device = await TestDevice.unapproved(authority, nextId(), { template: 'made' });
      const csr = csrFor(device.id, device.key);
      assert.equal((await keys.first(device, csr)).status, 202);
      await approvePending(device.id);
      keys.assertMade(await keys.first(device, csr));
    });
  });

  describe('a key is delivered once:', () => {
    test('the same request with the same secret is refused', async () => {
      const device = await expected();
      const csr = csrFor(device.id, device.key);
      keys.assertMade(await keys.first(device, csr));
      await assertRefused(authority, await keys.first(device, csr), 401, [
        'enrollment-again',
        'first-enrollment',
        'secret-unused',
      ]);
      assert.equal(await certificatesOf(device.id), 1);
    });

    test('of two at once one gets it', async () => {
      const device = await expected();
      const csr = csrFor(device.id, device.key);
      const answers = await Promise.all([
        keys.first(device, csr),
        keys.first(device, csr),
        keys.first(device, csr),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 401, 401],
      );
      keys.assertMade(answers.find(({ status }) => status === 200)!);
      assert.equal(await certificatesOf(device.id), 1);
    });

    test('a new secret brings another key, once somebody has looked', async () => {
      const device = await expected();
      const csr = csrFor(device.id, device.key);
      const before = keys.assertMade(await keys.first(device, csr));
      await device.newSecret();
      assert.equal((await keys.first(device, csr)).status, 202);
      await approvePending(device.id);
      const { certificate } = keys.assertMade(await keys.first(device, csr));
      assert.notDeepEqual(parseCertificate(certificate).spki, parseCertificate(before.certificate).spki);
    });

    test('simpleenroll for the key of the same request does not get at its certificate', async () => {
      const device = await expected();
      keys.assertMade(await keys.first(device));
      const answer = await device.enroll();
      await assertRefused(authority, answer, 401, ['enrollment-again', 'first-enrollment', 'secret-unused']);
      assert.deepEqual(authority.faults.slice(told), []);
    });

    // An approval and a secret are bound to a key: what was granted for one that the device has is no grant for one that nobody has seen.
    for (const [asked, taken] of [
      ['serverkeygen', 'simpleenroll'],
      ['simpleenroll', 'serverkeygen'],
    ] as const) {
      test(`what was approved for ${asked} is not spent by ${taken}`, async () => {
        const device = await TestDevice.unapproved(authority, nextId(), { template: 'made' });
        const csr = csrFor(device.id, device.key);
        const credential = { user: [device.id, device.secret] as const };
        assert.equal((await keys.post('made', csr, credential, asked)).status, 202);
        await approvePending(device.id);
        const other = await keys.post('made', csr, credential, taken);
        await assertRefused(authority, other, 401, ['first-enrollment', 'secret-unused']);
        assert.equal((await keys.post('made', csr, credential, asked)).status, 200);
        assert.equal(await certificatesOf(device.id), 1);
      });
    }

    test('simplereenroll after it, for the key of the same request, certifies that key', async () => {
      const client = await holding('made');
      const csr = renewalCsr(client.certificate, makeKey());
      const { certificate } = keys.assertMade(await keys.post('made', csr, { client }));
      // It is for another key: beside a current one it would wait for an operator.
      const superseded = (der: Uint8Array) =>
        authority.admin.client.perform('revokeCertificate', {
          id: createHash('sha256').update(der).digest('hex'),
          reason: 'superseded',
        });
      await superseded(certificate);
      const answer = await keys.post('made', csr, { client }, 'simplereenroll');
      assert.equal(answer.status, 200, answer.text);
      assert.notDeepEqual(answer.certificates, [certificate]);
      // And the other way round: a made key is another one still.
      await superseded(answer.certificates[0]!);
      const again = keys.assertMade(await keys.post('made', csr, { client }));
      const spkis = [certificate, answer.certificates[0]!, again.certificate].map((each) =>
        parseCertificate(each).spki.toHex(),
      );
      assert.equal(new Set(spkis).size, 3);
    });
  });

  describe('an encrypted one:', () => {
    const file = (name: string) => path.join(authority.directory, name);
    const files = ['pki/listener.pem', 'keys/listener.key.pem'] as const;
    const listenerCertificate = async () =>
      pemToDer(await readFile(file(files[0]), 'utf8'), 'CERTIFICATE')[0]!;

    /** What the client reads: SignedData, which holds the certificate of whoever signed. */
    async function signedFor(client: Holder, trust: string, openssl: string): Promise<Buffer> {
      const attributes = [asymmetricDecryptKeyIdentifier(identifierOf(client))];
      const csr = renewalCsr(client.certificate, makeKey(), { attributes });
      const answer = await keys.post(client.template, csr, { client, trust });
      const folder = await ClientFolder.make(cleanup);
      await writeFile(folder.path('message.der'), partsOf(answer).key);
      await writeFile(folder.path('client.pem'), derToPem(client.certificate, 'CERTIFICATE'));
      await writeFile(folder.path('client.key'), privateKeyPem(client.key));
      const from = ['-inform', 'DER', '-in', 'message.der', '-binary', '-out', 'signed.der'];
      await folder.must(openssl, 'cms', '-decrypt', ...from, '-recip', 'client.pem', '-inkey', 'client.key');
      return readFile(folder.path('signed.der'));
    }

    /** A certificate of the listener that it made itself, put where its own is. */
    async function replaceListener(key: ClientKey): Promise<Certified> {
      const made = TestCa.root('enroll', {
        key,
        ca: false,
        keyUsage: ['digitalSignature'],
        subjectAltName: [{ kind: 'ip', value: '127.0.0.1' }],
      });
      await writeFile(file(files[0]), made.pem);
      await writeFile(file(files[1]), privateKeyPem(key));
      return made;
    }

    beforeEach(async () => {
      for (const name of files) await copyFile(file(name), file(`${name}.kept`));
    });
    afterEach(async () => {
      for (const name of files) await copyFile(file(`${name}.kept`), file(name));
      await authority.running.reload();
    });

    test('reads no key for a request: it is signed with what the listener has, whatever is on the disk', async (t) => {
      const openssl = requireClient(t, 'openssl');
      if (openssl === null) return;
      const client = await holding('enciphering');
      const before = await listenerCertificate();
      await replaceListener(makeKey());
      await rm(file(files[1]));
      assert.ok((await signedFor(client, authority.trustPem, openssl)).includes(before));
    });

    test('is signed with the new certificate once the listener has that', async (t) => {
      const openssl = requireClient(t, 'openssl');
      if (openssl === null) return;
      const client = await holding('enciphering');
      const made = await replaceListener(makeKey('ec-p384'));
      await authority.running.reload();
      assert.ok((await signedFor(client, made.pem, openssl)).includes(made.certificate));
    });

    test('a listener whose key signs nothing but TLS certifies no key that it could not deliver', async () => {
      const client = await holding('enciphering');
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
      const spki = publicKey.export({ type: 'spki', format: 'der' });
      const made = await replaceListener({ algorithm: 'ec-p384', privateKey, spki });
      await authority.running.reload();
      const attributes = [asymmetricDecryptKeyIdentifier(identifierOf(client))];
      const csr = renewalCsr(client.certificate, makeKey(), { attributes });
      const answer = await keys.post('enciphering', csr, { client, trust: made.pem });
      assert.equal(answer.status, 503, answer.text);
      assert.equal(await certificatesOf(client.id), 1);
      keys.assertMade(
        await keys.post('enciphering', renewalCsr(client.certificate, makeKey()), {
          client,
          trust: made.pem,
        }),
      );
    });

    test('is not prepared for where the template makes no keys: the request is refused as ever', async () => {
      const device = await expected('device');
      for (const attribute of [decryptKeyIdentifier, asymmetricDecryptKeyIdentifier]) {
        const attributes = [attribute(Buffer.alloc(20, 7))];
        const answer = await keys.first(device, csrFor(device.id, device.key, { attributes }));
        await assertRefused(authority, answer, 403, ['key-origin']);
      }
    });
  });

  // The last, for it looks for what the others were given, and ends the authority.
  test('no private key that was delivered is in any file or fault report', async () => {
    const { secrets } = keys;
    assert.ok(secrets.length >= 12);
    const { directory, faults } = authority;
    const where = { directory, faults, control: 'serverkeygen' };
    await assertNowhere(secrets, where);
    await authority.running.close();
    await assertNowhere(secrets, where);
  });
});
