import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  encodeBasicConstraints,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  extendedKeyUsages,
  extensionOids,
  der,
  oids,
  sidUriPrefix,
} from '#x509';
import { authorityInProcess, type TestAuthority } from '../harness/authority.ts';
import { type CsrSettings, csrFor, makeCsr, makeKey } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

/** A secret of device A in wrong hands: what else it could be good for. VU#971035. */
describe('a leaked secret', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml.replaceAll('burst: 5, count: 10', 'burst: 500, count: 1000'),
    );
  });

  let devices = 0;
  async function deviceWithSecret() {
    const id = `laptop-${(devices += 1)}`;
    return { id, secret: await authority.admin.expected(id) };
  }
  const enroll = (id: string, secret: string, csr: Uint8Array, label = '') =>
    est({
      url: `${authority.est}${label}/simpleenroll`,
      body: base64(csr),
      user: [id, secret],
      trust: authority.trustPem,
    });

  test('gets its own device a certificate', async () => {
    const { id, secret } = await deviceWithSecret();
    const answer = await enroll(id, secret, csrFor(id, makeKey()));
    assert.equal(answer.status, 200, answer.text);
  });

  const extension = (oid: string, value: Uint8Array) => ({ oid, critical: false, value });
  const sidExtension = der.sequence(
    der.explicit(
      0,
      der.sequence(
        der.oid('1.3.6.1.4.1.311.25.2.1'),
        der.explicit(0, der.octetString(Buffer.from('S-1-5-21-1-2-3-500'))),
      ),
    ),
  );
  const cases: readonly { name: string; control: string; change: Partial<CsrSettings> }[] = [
    {
      name: 'another common name',
      control: 'request-subject',
      change: { subject: [{ type: 'commonName', value: 'laptop-of-the-ceo' }] },
    },
    {
      name: 'a second common name',
      control: 'request-subject',
      change: {
        subject: [
          { type: 'commonName', value: 'laptop' },
          { type: 'commonName', value: 'admin' },
        ],
      },
    },
    {
      name: 'a DNS name',
      control: 'request-subject-alt-name',
      change: { subjectAltName: [{ kind: 'dns', value: 'vpn.example.org' }] },
    },
    {
      name: 'a mail address',
      control: 'request-subject-alt-name',
      change: { subjectAltName: [{ kind: 'email', value: 'ceo@example.org' }] },
    },
    {
      name: 'a user principal name',
      control: 'request-subject-alt-name',
      change: {
        subjectAltName: [
          {
            kind: 'otherName',
            type: '1.3.6.1.4.1.311.20.2.3',
            value: Buffer.from(der.utf8String('ceo@example.org')).toString('base64'),
          },
        ],
      },
    },
    {
      name: 'server authentication',
      control: 'request-usage',
      change: {
        extensions: [
          extension(extensionOids.extendedKeyUsage, encodeExtendedKeyUsage([extendedKeyUsages.serverAuth])),
        ],
      },
    },
    {
      name: 'any extended key usage',
      control: 'request-usage',
      change: {
        extensions: [
          extension(
            extensionOids.extendedKeyUsage,
            encodeExtendedKeyUsage([extendedKeyUsages.anyExtendedKeyUsage]),
          ),
        ],
      },
    },
    {
      name: 'to sign certificates',
      control: 'request-usage',
      change: { extensions: [extension(extensionOids.keyUsage, encodeKeyUsage(['keyCertSign']))] },
    },
    {
      name: 'to be a CA',
      control: 'request-end-entity',
      change: {
        extensions: [extension(extensionOids.basicConstraints, encodeBasicConstraints({ ca: true }))],
      },
    },
    {
      name: 'a Microsoft SID extension',
      control: 'request-no-sid',
      change: { extensions: [extension(oids.msSid, sidExtension)] },
    },
    {
      name: 'a Microsoft SID as SAN URI',
      control: 'request-no-sid',
      change: { subjectAltName: [{ kind: 'uri', value: `${sidUriPrefix}S-1-5-21-1-2-3-500` }] },
    },
    {
      name: 'another Microsoft template',
      control: 'request-extensions',
      change: { extensions: [extension(oids.msTemplateName, der.utf8String('DomainController'))] },
    },
    {
      name: 'an extension nobody knows',
      control: 'request-extensions',
      change: { extensions: [extension('1.2.3.4.5', der.null())] },
    },
  ];
  for (const { name, control, change } of cases) {
    test(`does not get ${name}`, async () => {
      const { id, secret } = await deviceWithSecret();
      const answer = await enroll(
        id,
        secret,
        makeCsr({ key: makeKey(), subject: [{ type: 'commonName', value: id }], ...change }),
      );
      await assertRefused(authority, answer, 400, [control]);
    });
  }

  test('is refused for another template', async () => {
    await authority.admin.device('server-1', {
      deviceClass: 'server',
      approveFor: ['device', 'server'],
      identifiers: { dnsName: 'a.example.org' },
    });
    const secret = await authority.admin.secret('server-1', 'device');
    const answer = await enroll('server-1', secret, csrFor('server-1', makeKey()), '/server');
    await assertRefused(authority, answer, 401, ['secret-template']);
  });

  test('is refused beside the user name of another device', async () => {
    const a = await deviceWithSecret();
    const b = await deviceWithSecret();
    const answer = await enroll(b.id, a.secret, csrFor(a.id, makeKey()));
    await assertRefused(authority, answer, 401, ['secret-device']);
  });

  test('is refused with another key, once it is spent', async () => {
    const { id, secret } = await deviceWithSecret();
    assert.equal((await enroll(id, secret, csrFor(id, makeKey()))).status, 200);
    const answer = await enroll(id, secret, csrFor(id, makeKey()));
    // The approval beforehand was used by the first certificate: another enrollment would need another one.
    await assertRefused(authority, answer, 401, ['secret-unused', 'first-enrollment', 'enrollment-again']);
  });

  test('is refused with another key, while it is reserved for a held request', async () => {
    const id = 'held-1';
    await authority.admin.device(id);
    const secret = await authority.admin.secret(id);
    assert.equal((await enroll(id, secret, csrFor(id, makeKey()))).status, 202);
    const answer = await enroll(id, secret, csrFor(id, makeKey()));
    await assertRefused(authority, answer, 401, ['secret-unused', 'first-enrollment']);
  });

  test('expires', async () => {
    const own = await authorityInProcess(cleanup);
    const secret = await own.admin.expected('laptop-1');
    own.advance(3_600_000);
    const answer = await est({
      url: `${own.est}/simpleenroll`,
      body: base64(csrFor('laptop-1', makeKey())),
      user: ['laptop-1', secret],
      trust: own.trustPem,
    });
    await assertRefused(own, answer, 401, ['secret-unexpired']);
  });

  test('is refused after an operator revoked it', async () => {
    const { id, secret } = await deviceWithSecret();
    const [stored] = (await authority.admin.client.perform('listSecrets', { device: id })).items;
    await authority.admin.client.perform('revokeSecret', { id: stored!.id });
    const answer = await enroll(id, secret, csrFor(id, makeKey()));
    await assertRefused(authority, answer, 401, ['secret-not-void', 'secret-unused']);
  });

  test('expecting certain names is refused with others, before it is reserved', async () => {
    await authority.admin.device('expecting', {
      approveFor: ['device'],
      identifiers: { dnsName: 'expecting.example.org' },
    });
    const { secret } = await authority.admin.client.perform('createSecret', {
      device: 'expecting',
      template: 'device',
      subject: [{ type: 'commonName', value: 'expecting' }],
      subjectAltName: [{ kind: 'dns', value: 'expecting.example.org' }],
    });
    const key = makeKey();
    const without = await enroll('expecting', secret, csrFor('expecting', key));
    await assertRefused(authority, without, 401, ['secret-request']);
    const subjectAltName = [{ kind: 'dns', value: 'expecting.example.org' }] as const;
    assert.equal(
      (await enroll('expecting', secret, csrFor('expecting', key, { subjectAltName }))).status,
      200,
    );
  });

  test('that does not exist tells the same as one that does', async () => {
    const { id, secret } = await deviceWithSecret();
    const guessed = await enroll(id, 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA', csrFor(id, makeKey()));
    assert.equal((await enroll(id, secret, csrFor(id, makeKey()))).status, 200);
    const reused = await enroll(id, secret, csrFor(id, makeKey()));
    const words = (text: string) => text.replace(/R-\S+/, '');
    assert.equal(guessed.status, reused.status);
    assert.equal(words(guessed.text), words(reused.text));
  });

  test('used 50 times at once with 50 keys gives one certificate', async () => {
    const { id, secret } = await deviceWithSecret();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => enroll(id, secret, csrFor(id, makeKey()))),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 401).length, 49);
    assert.equal(await certificatesOf(authority, id), 1);
  });

  test('used 50 times at once with one key gives one certificate to all', async () => {
    const { id, secret } = await deviceWithSecret();
    const key = makeKey();
    const answers = await Promise.all(Array.from({ length: 50 }, () => enroll(id, secret, csrFor(id, key))));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ certificates }) => base64(certificates[0]!))).size, 1);
    assert.equal(await certificatesOf(authority, id), 1);
  });

  test('with the same request again delivers the same certificate, and not after its revocation', async () => {
    const { id, secret } = await deviceWithSecret();
    const key = makeKey();
    const first = await enroll(id, secret, csrFor(id, key));
    const again = await enroll(id, secret, csrFor(id, key));
    assert.equal(base64(again.certificates[0]!), base64(first.certificates[0]!));
    const [certificate] = (await authority.admin.client.perform('listCertificates', { device: id })).items;
    await authority.admin.client.perform('revokeCertificate', {
      id: certificate!.sha256,
      reason: 'superseded',
    });
    const answer = await enroll(id, secret, csrFor(id, key));
    await assertRefused(authority, answer, 401, ['secret-unused', 'first-enrollment']);
  });
});

async function certificatesOf(authority: TestAuthority, device: string): Promise<number> {
  return (await authority.admin.client.perform('listCertificates', { device })).items.length;
}
