import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, test, type TestContext } from 'node:test';
import {
  type Certificate,
  inspectPublicKey,
  parseCertificate,
  pemToDer,
  verifyCertificateSignature,
} from '#x509';
import { requireClient } from '../clients.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { AcmeClientLibrary } from './acme-clients/acme-client.ts';
import type { AcmeClient, AcmeResult, AcmeServer, Challenge } from './acme-clients/acme-task.ts';
import { AcmeTiny } from './acme-clients/acme-tiny.ts';
import { Caddy } from './acme-clients/caddy.ts';
import { Certbot } from './acme-clients/certbot.ts';
import { Dehydrated } from './acme-clients/dehydrated.ts';
import { Lego } from './acme-clients/lego.ts';
import { ModMd } from './acme-clients/mod-md.ts';
import { type Served, startSallyport } from './acme-clients/sallyport.ts';
import { Uacme } from './acme-clients/uacme.ts';

interface ClientInQuestion {
  readonly name: string;
  prepare(t: TestContext, server: AcmeServer): Promise<AcmeClient | null>;
  /** What its certificate is for where nobody says. */
  readonly key: string;
  /** Whether a renewal is for a new key. */
  readonly renewsKey: boolean;
  /** The other challenge that it is tried with; null: it knows none. */
  readonly other: Challenge | null;
}

const clients: readonly ClientInQuestion[] = [
  { name: 'certbot', prepare: Certbot.prepare, key: 'ec-p256', renewsKey: true, other: 'dns-01' },
  { name: 'lego', prepare: Lego.prepare, key: 'ec-p256', renewsKey: true, other: 'dns-01' },
  { name: 'dehydrated', prepare: Dehydrated.prepare, key: 'ec-p384', renewsKey: true, other: 'dns-01' },
  { name: 'acme-tiny', prepare: AcmeTiny.prepare, key: 'rsa-2048', renewsKey: false, other: null },
  { name: 'uacme', prepare: Uacme.prepare, key: 'ec-p256', renewsKey: false, other: 'dns-01' },
  {
    name: 'acme-client',
    prepare: AcmeClientLibrary.prepare,
    key: 'ec-p256',
    renewsKey: true,
    other: 'dns-01',
  },
  { name: 'caddy', prepare: Caddy.prepare, key: 'ec-p256', renewsKey: false, other: 'tls-alpn-01' },
  { name: 'mod_md', prepare: ModMd.prepare, key: 'ec-p256', renewsKey: true, other: 'tls-alpn-01' },
];

/** ACME, by clients that know nothing of us. One runs after the other: they answer challenges on the same ports. */
describe('over ACME', () => {
  const cleanup = suiteCleanup();
  let started: Promise<Served> | null = null;

  /** null: the test is skipped. */
  async function serve(t: TestContext): Promise<Served | null> {
    const challengeServers = requireClient(t, 'pebble-challtestsrv');
    if (challengeServers === null) return null;
    started ??= startSallyport(challengeServers, cleanup);
    return started;
  }

  for (const { name, prepare, key, renewsKey, other } of clients) {
    // caddy has a certificate for each name, and may lose its account where it begins with several (docs/acme-clients.md).
    const names = name === 'caddy' ? ['caddy.test'] : [`www.${name.replace('_', '-')}.test`, 'device.test'];

    test(`${name} enrolls by http-01, renews, and revokes where it can`, async (t) => {
      const server = await serve(t);
      const client = server && (await prepare(t, server));
      if (client === null) return;
      const task = { names, challenge: 'http-01', eab: await server!.eab() } as const;
      const first = await certified(await client.enroll(task));
      assert.deepEqual(namesOf(first), names.toSorted());
      assert.equal(inspectPublicKey(first.spki).algorithm, key);
      const second = await certified(await client.renew(task));
      assert.deepEqual(namesOf(second), names.toSorted());
      assert.notEqual(second.serialNumber, first.serialNumber);
      assert.equal(Buffer.compare(second.spki, first.spki) !== 0, renewsKey);
      if (client.revoke === undefined) return;
      const { code, stderr, stdout } = await client.revoke(task);
      assert.equal(code, 0, stderr + stdout.toString());
      assert.equal(await server!.isRevoked(second.serialNumber), true);
      assert.equal(await server!.isRevoked(first.serialNumber), false);
    });

    if (other === null) continue;
    const what = other === 'dns-01' ? 'dns-01 for a wildcard' : other;
    test(`${name} enrolls by ${what}`, async (t) => {
      const server = await serve(t);
      const client = server && (await prepare(t, server));
      if (client === null) return;
      const zone = names[0]!;
      const wanted = other === 'dns-01' ? [zone, `*.${zone}`] : [zone];
      const task = { names: wanted, challenge: other, eab: await server!.eab() };
      const certificate = await certified(await client.enroll(task));
      assert.deepEqual(namesOf(certificate), wanted.toSorted());
    });
  }

  test('lego enrolls by tls-alpn-01, for an RSA key', async (t) => {
    const server = await serve(t);
    const client = server && (await Lego.prepare(t, server, { key: 'rsa2048' }));
    if (client === null) return;
    const names = ['alpn.lego.test'];
    const certificate = await certified(
      await client.enroll({ names, challenge: 'tls-alpn-01', eab: await server!.eab() }),
    );
    assert.deepEqual(namesOf(certificate), names);
    assert.equal(inspectPublicKey(certificate.spki).algorithm, 'rsa-2048');
  });

  test('mod_md enrolls for a profile, and renews a revoked certificate at once, as ARI tells it to', async (t) => {
    const server = await serve(t);
    const client = server && (await ModMd.prepare(t, server, { profile: 'web', renewViaAri: true }));
    if (client === null) return;
    const task = { names: ['ari.test'], challenge: 'http-01', eab: await server!.eab() } as const;
    const first = await certified(await client.enroll(task));
    assert.equal((await server!.orders()).at(-1)!.template, 'web');
    await server!.revoke(first.serialNumber);
    // Started again with 90 days to go: nothing but ARI says that it is time.
    const second = await certified(await client.enroll(task));
    assert.notEqual(second.serialNumber, first.serialNumber);
    assert.equal((await server!.orders()).at(-1)!.replaces, hash('sha256', first.der, 'hex'));
  });

  // lego reads it in the directory and asks for nothing; uacme asks, and is told by the problem's type.
  for (const { name, prepare, says } of [
    { name: 'lego', prepare: Lego.prepare, says: /requires External Account Binding/ },
    { name: 'uacme', prepare: Uacme.prepare, says: /requires external credentials/ },
  ]) {
    test(`${name} is told that it needs an external account, and gets no certificate without`, async (t) => {
      const server = await serve(t);
      const client = server && (await prepare(t, server));
      if (client === null) return;
      const result = await client.enroll({ names: ['none.test'], challenge: 'http-01', eab: null });
      assert.notEqual(result.code, 0);
      assert.equal(result.certificate, null);
      assert.match(result.stderr, says);
    });
  }
});

/** The certificate, whose issuer came with it. */
async function certified({ code, stdout, stderr, certificate }: AcmeResult): Promise<Certificate> {
  assert.equal(code, 0, stderr + stdout.toString());
  assert.ok(certificate, stderr + stdout.toString());
  const [leaf, issuer] = pemToDer(await readFile(certificate, 'utf8'), 'CERTIFICATE').map((der) =>
    parseCertificate(der),
  );
  assert.ok(leaf && issuer, 'no issuer came with it');
  assert.equal(verifyCertificateSignature(leaf, issuer.spki), true);
  return leaf;
}

/** Of DNS; any other stands among them by its kind. */
function namesOf({ subjectAltName }: Certificate): string[] {
  return subjectAltName.map((name) => (name.kind === 'dns' ? name.value : name.kind)).toSorted();
}
