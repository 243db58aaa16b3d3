import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { der, derToPem, parseCertificate, readDer } from '#x509';
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
  type CsrSettings,
  makeKey,
  privateKeyPem,
  renewalCsr,
  smimeCapabilities,
} from '../harness/csr.ts';
import { logSize, requestEntriesOf } from '../harness/entries.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { withTemplates } from '../harness/more-templates.ts';
import { type Holder, partsOf, ServerMadeKeys } from '../harness/server-made-keys.ts';
import { TestDevice } from '../harness/test-device.ts';

const enciphering = ['digitalSignature', 'keyEncipherment', 'keyAgreement'];
const aes256Cbc = '2.16.840.1.101.3.4.1.42';
const aes128Cbc = '2.16.840.1.101.3.4.1.2';

describe('RFC 7030 section 4.4, serverkeygen', () => {
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
        'made-rsa': { serverKeygen: 'rsa-2048' },
        'made-same': { serverKeygen: 'ec-p256', renewal: { key: 'same' } },
        'made-new': { serverKeygen: 'ec-p256', renewal: { key: 'new' } },
        enciphering: { serverKeygen: 'ec-p256', keyUsage: enciphering },
        'enciphering-rsa': { serverKeygen: 'rsa-2048', keyUsage: enciphering },
      }),
    );
    told = authority.faults.length;
    keys = new ServerMadeKeys(authority);
  });

  let devices = 0;
  const nextId = () => `laptop-${(devices += 1)}`;
  const expected = (template = 'made') => TestDevice.expected(authority, nextId(), { template });
  const holding = async (template: string, key?: ClientKey) => keys.holder(await expected(template), key);
  const identifierOf = ({ certificate }: Holder) => parseCertificate(certificate).subjectKeyIdentifier!;

  async function certificatesOf(id: string): Promise<number> {
    return (await authority.admin.client.perform('listCertificates', { device: id })).items.length;
  }

  describe('the template decides:', () => {
    test('one that makes no keys refuses, in the log, and the secret is still good', async () => {
      const device = await expected('device');
      const { observations } = await assertRefused(authority, await keys.first(device), 403, ['key-origin']);
      assert.equal(observations.key?.origin, 'authority');
      assert.equal((await device.enroll()).status, 200);
    });

    test('without a label it is the default template', async () => {
      const { id, key, secret } = await expected('device');
      const answer = await est({
        url: `${authority.est}/serverkeygen`,
        trust: authority.trustPem,
        body: base64(csrFor(id, key)),
        user: [id, secret],
      });
      await assertRefused(authority, answer, 403, ['key-origin']);
    });

    test('an unknown label is answered 404', async () => {
      assert.equal((await keys.post('nothing', csrFor('x', makeKey()), {})).status, 404);
    });

    test('POST alone: 405 with Allow', async () => {
      const answer = await est({ url: `${authority.est}/made/serverkeygen`, trust: authority.trustPem });
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST']);
    });

    test('without a credential 401 with a challenge', async () => {
      const answer = await keys.post('made', csrFor('x', makeKey()), {});
      assert.equal(answer.status, 401);
      assert.match(answer.headers['www-authenticate'] ?? '', /^Basic /);
    });
  });

  describe('4.4.2, a key under TLS alone:', () => {
    for (const [template, type] of [
      ['made', 'ec'],
      ['made-rsa', 'rsa'],
    ] as const) {
      test(`${type}: PKCS #8 and the certificate for it, as simpleenroll would give it`, async () => {
        const device = await expected(template);
        const from = await logSize(authority);
        const { key, certificate } = keys.assertMade(await keys.first(device));
        assert.equal(key.asymmetricKeyType, type);
        const [entry] = await requestEntriesOf(authority, from);
        assert.equal(entry?.outcome, 'issued');
        assert.deepEqual(entry.observations.key, {
          origin: 'authority',
          spki: null,
          algorithm: type === 'ec' ? 'ec-p256' : 'rsa-2048',
          bits: 0,
          weaknesses: [],
          shared: false,
        });
        const made = parseCertificate(certificate);
        assert.equal(made.subject[0]![0]!.value, device.id);
        assert.notDeepEqual(Buffer.from(made.spki), Buffer.from(device.key.spki));
        const plain = parseCertificate((await holding(template)).certificate);
        const forms = [made, plain].map(({ extensions }) =>
          extensions.map(({ oid, critical }) => `${oid} ${critical}`),
        );
        assert.deepEqual(forms[0], forms[1]);
      });
    }

    test('base64 has lines for a client that names itself, and one line for one that does not', async () => {
      const lines = await keys.first(await expected(), undefined, { headers: { 'User-Agent': 'x' } });
      keys.assertMade(lines);
      assert.ok(lines.text.split(/\r?\n/).every((line) => line.length <= 76));
      const line = await keys.first(await expected());
      keys.assertMade(line);
      assert.equal(line.headers['content-length'], String(line.text.length));
    });

    test('every key is another one, also by renewals from the same request', async () => {
      const { certificate } = keys.assertMade(await keys.first(await expected()));
      const client = await holding('made');
      const csr = renewalCsr(client.certificate, client.key);
      const one = keys.assertMade(await keys.post('made', csr, { client }));
      // Beside it another one would wait for an operator.
      await authority.admin.client.perform('revokeCertificate', {
        id: createHash('sha256').update(one.certificate).digest('hex'),
        reason: 'superseded',
      });
      const two = keys.assertMade(await keys.post('made', csr, { client }));
      const spkis = [certificate, one.certificate, two.certificate, client.certificate].map((each) =>
        base64(parseCertificate(each).spki),
      );
      assert.equal(new Set(spkis).size, 4);
    });

    test('what it made can be renewed with', async () => {
      const device = await expected();
      const { key, certificate } = keys.assertMade(await keys.first(device));
      const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
      const made: ClientKey = { algorithm: 'ec-p256', privateKey: key, spki };
      const answer = await est({
        url: `${authority.est}/made/simplereenroll`,
        trust: authority.trustPem,
        body: base64(renewalCsr(certificate, made)),
        client: { certificate, key: made },
      });
      assert.equal(answer.status, 200, answer.text);
    });

    test('renewal.key: a made key is never the same, and always new', async () => {
      await assertRefused(authority, await keys.renew(await holding('made-same')), 400, ['renewal-key']);
      keys.assertMade(await keys.renew(await holding('made-new')));
    });
  });

  describe('4.4.1, "the server MUST ignore the public key values and signature in the CSR":', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    const spkiOf = ({ publicKey }: { publicKey: KeyObject }) =>
      publicKey.export({ type: 'spki', format: 'der' });
    const ed448 = generateKeyPairSync('ed448');
    /** With another AlgorithmIdentifier and signature beneath. */
    const signed = (csr: Uint8Array, algorithm: Uint8Array, signature: Uint8Array) =>
      der.sequence(readDer(csr).sequence('CSR').next().der, algorithm, der.bitString(signature));
    const sha1WithRsa = der.sequence(der.oid('1.2.840.113549.1.1.5'), der.null());

    const cases: Record<string, (id: string, key: ClientKey) => Uint8Array> = {
      'signed by another key': (id, key) => csrFor(id, key, { signWith: makeKey() }),
      'for a weak key': (id, key) => csrFor(id, key, { spki: spkiOf(weak) }),
      'for a key of an algorithm that no template lists': (id, key) =>
        csrFor(id, key, { spki: spkiOf(p521) }),
      'for a key of an algorithm that is unknown here': (id, key) => csrFor(id, key, { spki: spkiOf(ed448) }),
      'signed with SHA-1': (id, key) => signed(csrFor(id, key), sha1WithRsa, Buffer.alloc(256, 1)),
      'with an empty signature': (id, key) =>
        signed(csrFor(id, key), der.sequence(der.oid('1.2.840.10045.4.3.2')), Buffer.alloc(0)),
    };
    for (const [name, csr] of Object.entries(cases)) {
      test(`a request ${name} is taken`, async () => {
        const device = await expected();
        keys.assertMade(await keys.first(device, csr(device.id, device.key)));
      });
    }

    test('a request for the key of another device is taken, and that key is not certified', async () => {
      const [device, other] = [await expected(), await holding('made')];
      const { certificate } = keys.assertMade(await keys.first(device, csrFor(device.id, other.key)));
      assert.notDeepEqual(Buffer.from(parseCertificate(certificate).spki), Buffer.from(other.key.spki));
    });
  });

  describe('4.4.1.2, encrypted for the client’s certificate:', () => {
    const recipients = {
      'ec-p256': 'enciphering',
      'ec-p384': 'enciphering',
      'rsa-2048': 'enciphering',
    } as const;
    for (const [algorithm, template] of Object.entries(recipients)) {
      for (const made of [template, 'enciphering-rsa']) {
        test(`${algorithm}: the client alone reads the key of ${made}, signed by the listener`, async (t) => {
          const openssl = requireClient(t, 'openssl');
          if (openssl === null) return;
          const client = await holding(made, makeKey(algorithm as 'ec-p256'));
          const answer = await keys.renew(client, {
            attributes: [asymmetricDecryptKeyIdentifier(identifierOf(client)), smimeCapabilities(aes256Cbc)],
          });
          const { keyType, key, certificate } = partsOf(answer);
          assert.equal(keyType, 'application/pkcs7-mime; smime-type=server-generated-key');
          const pkcs8 = await decrypted(openssl, key, client);
          keys.assertFits(pkcs8, certificate);
        });
      }
    }

    /** RFC 5652: EnvelopedData around SignedData around AsymmetricKeyPackage (RFC 5958), by openssl. */
    async function decrypted(openssl: string, message: Uint8Array, client: Holder): Promise<Uint8Array> {
      const folder = await ClientFolder.make(cleanup);
      await writeFile(folder.path('message.der'), message);
      await writeFile(folder.path('client.pem'), derToPem(client.certificate, 'CERTIFICATE'));
      await writeFile(folder.path('client.key'), privateKeyPem(client.key));
      const who = ['-recip', 'client.pem', '-inkey', 'client.key', '-debug_decrypt'];
      const from = ['-inform', 'DER', '-in', 'message.der', '-binary', '-out', 'signed.der'];
      await folder.must(openssl, 'cms', '-decrypt', ...from, ...who);
      const signed = await readFile(folder.path('signed.der'));
      const info = der.sequence(der.oid('1.2.840.113549.1.7.2'), der.explicit(0, signed));
      await writeFile(folder.path('info.der'), info);
      const trust = ['-CAfile', path.join(authority.directory, 'pki/root.pem'), '-purpose', 'sslserver'];
      const check = ['-inform', 'DER', '-in', 'info.der', '-binary', '-out', 'package.der'];
      await folder.must(openssl, 'cms', '-verify', ...check, ...trust);
      const print = ['-cmsout', '-print', '-noout', '-inform', 'DER', '-in', 'info.der'];
      const { stdout } = await folder.must(openssl, 'cms', ...print);
      assert.match(stdout.toString(), /eContentType: .*\(2\.16\.840\.1\.101\.2\.1\.2\.78\.5\)/);
      const keys = readDer(await readFile(folder.path('package.der'))).sequence('AsymmetricKeyPackage');
      const { der: pkcs8 } = keys.next();
      keys.finish();
      return pkcs8;
    }

    test('a first enrollment is encrypted for the client certificate beside its secret', async () => {
      const client = await holding('enciphering');
      const device = await expected('made');
      const csr = csrFor(device.id, device.key, {
        attributes: [asymmetricDecryptKeyIdentifier(identifierOf(client))],
      });
      const { keyType } = partsOf(await keys.first(device, csr, { client }));
      assert.equal(keyType, 'application/pkcs7-mime; smime-type=server-generated-key');
    });

    test('without AsymmetricDecryptKeyIdentifier, SMIMECapabilities demand nothing', async () => {
      keys.assertMade(
        await keys.renew(await holding('enciphering'), { attributes: [smimeCapabilities(aes128Cbc)] }),
      );
    });

    interface Wrong {
      readonly template: string;
      readonly attributes: (client: Holder) => NonNullable<CsrSettings['attributes']>;
    }
    const wrong: Record<string, Wrong> = {
      'an identifier of nobody': {
        template: 'enciphering',
        attributes: () => [asymmetricDecryptKeyIdentifier(Buffer.alloc(20, 7))],
      },
      'the beginning of the right identifier': {
        template: 'enciphering',
        attributes: (client) => [asymmetricDecryptKeyIdentifier(identifierOf(client).subarray(0, 19))],
      },
      'an empty identifier': {
        template: 'enciphering',
        attributes: () => [asymmetricDecryptKeyIdentifier(Buffer.alloc(0))],
      },
      'the same attribute twice': {
        template: 'enciphering',
        attributes: (client) => [
          asymmetricDecryptKeyIdentifier(identifierOf(client)),
          asymmetricDecryptKeyIdentifier(identifierOf(client)),
        ],
      },
      'DecryptKeyIdentifier, of a symmetric key': {
        template: 'enciphering',
        attributes: () => [decryptKeyIdentifier(Buffer.from('our key'))],
      },
      'both identifiers': {
        template: 'enciphering',
        attributes: (client) => [
          decryptKeyIdentifier(Buffer.from('our key')),
          asymmetricDecryptKeyIdentifier(identifierOf(client)),
        ],
      },
      'a client certificate that must not be encrypted for': {
        template: 'made',
        attributes: (client) => [asymmetricDecryptKeyIdentifier(identifierOf(client))],
      },
      'SMIMECapabilities without AES-256-CBC': {
        template: 'enciphering',
        attributes: (client) => [
          asymmetricDecryptKeyIdentifier(identifierOf(client)),
          smimeCapabilities(aes128Cbc, '1.2.840.113549.3.7'),
        ],
      },
    };
    for (const [name, { template, attributes }] of Object.entries(wrong)) {
      test(`${name}: 400, and neither key nor certificate`, async () => {
        const client = await holding(template);
        const from = await logSize(authority);
        const answer = await keys.renew(client, { attributes: attributes(client) });
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
        assert.equal((await entryOf(authority, answer)).outcome, 'malformed');
        assert.equal((await requestEntriesOf(authority, from)).length, 1);
        assert.equal(await certificatesOf(client.id), 1);
      });
    }

    test('an identifier without a client certificate: 400, and the secret is still good', async () => {
      const device = await expected();
      const attributes = [asymmetricDecryptKeyIdentifier(Buffer.alloc(20, 7))];
      const answer = await keys.first(device, csrFor(device.id, device.key, { attributes }));
      assert.equal(answer.status, 400, answer.text);
      assert.equal(await certificatesOf(device.id), 0);
      keys.assertMade(await keys.first(device));
    });
  });

  // The last, for it looks for what the others were given, and ends the authority.
  test('no private key that was delivered is in any file or fault report', async () => {
    const { secrets } = keys;
    // Half of them where no openssl opens what is encrypted.
    assert.ok(secrets.length > 20);
    const { directory, faults } = authority;
    assert.deepEqual(faults.slice(told), []);
    const where = { directory, faults, control: 'serverkeygen' };
    await assertNowhere(secrets, where);
    await authority.running.close();
    await assertNowhere(secrets, where);
  });
});
