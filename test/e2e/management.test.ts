import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey, privateKeyPem } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { askHttp } from '../harness/http.ts';
import { type Certified, TestCa } from '../harness/pki.ts';
import { ScepClient } from '../harness/scep-client.ts';

const day = 86_400_000;

describe('a listener for management clients', () => {
  const cleanup = suiteCleanup();
  const management = TestCa.root('Management');
  const elsewhere = TestCa.root('Elsewhere');
  const clientAuth = { extendedKeyUsage: ['clientAuth'] } as const;
  const mdm = { subject: [{ type: 'commonName', value: 'mdm' }], ...clientAuth };
  const pinned = elsewhere.endEntity(mdm);
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  let url: string;
  before(async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-management-'));
    cleanup.after(() => rmSync(folder, { recursive: true }));
    const file = (name: string, pem: string) => {
      writeFileSync(path.join(folder, name), pem);
      return path.join(folder, name);
    };
    const files = [file('ca.pem', management.pem), file('pinned.pem', pinned.pem)];
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml.replace(
        /^ {2}# Revocation lists/m,
        `  tier-zero:
    class: enroll
    address: 127.0.0.1
    port: 0
    tls:
      certificate: pki/listener.pem
      key:
        file: keys/listener.key.pem
        passphrase: { file: secrets/passphrase }
    sources: [127.0.0.0/8]
    management: { certificates: [${files.join(', ')}] }
    protocols:
      scep:
        templates: [device]
$&`,
      ),
    );
    url = `${authority.running.listeners.find(({ name }) => name === 'tier-zero')!.url}/scep/device`;
  });
  const tlsOf = (client: Certified | null) => ({
    ca: authority.trustPem,
    ...(client === null ? {} : { cert: client.pem, key: privateKeyPem(client.key) }),
  });
  const refused = async (client: Certified | null) => {
    const { status } = await askHttp(`${url}?operation=GetCACert`, { tls: tlsOf(client) });
    assert.equal(status, 403);
    const { outcome, verdict, observations } = (await requestEntriesOf(authority)).at(-1)!;
    assert.equal(outcome, 'refused');
    assert.deepEqual(
      verdict.objections.map(({ control }) => control),
      ['segment-management'],
    );
    return observations.source.management;
  };

  for (const [what, client] of [
    ['that its CA vouches for', () => management.endEntity(mdm)],
    ['that is listed itself, whoever issued it', () => pinned],
    [
      'without extended key usage',
      () => management.endEntity({ subject: [{ type: 'commonName', value: 'mdm' }] }),
    ],
  ] as const) {
    test(`enrolls for a client ${what}`, async () => {
      const id = `managed-${what.length}`;
      const secret = await authority.admin.expected(id);
      const key = makeKey('rsa-2048');
      const scep = await ScepClient.at(url, tlsOf(client()));
      const answer = await scep.ask({ content: csrFor(id, key, { challengePassword: secret }), key });
      assert.equal(answer.pkiStatus, 'success', answer.text);
      const { observations } = (await requestEntriesOf(authority)).at(-1)!;
      assert.ok(observations.source.management!.path.length > 0);
    });
  }

  test('refuses who shows no certificate, and says so in the log', async () => {
    assert.equal(await refused(null), null);
  });

  for (const [what, client] of [
    [
      'of another CA',
      () => elsewhere.endEntity({ subject: [{ type: 'commonName', value: 'other' }], ...clientAuth }),
    ],
    ['that has expired', () => management.endEntity({ ...mdm, notAfter: Date.now() - day })],
    ['that is not valid yet', () => management.endEntity({ ...mdm, notBefore: Date.now() + day })],
    ['for servers', () => management.endEntity({ ...mdm, extendedKeyUsage: ['serverAuth'] })],
    ['of the CA itself', () => management],
    ['of a CA of the same name', () => TestCa.root('Management').endEntity(mdm)],
    ['signed by a management client', () => TestCa.of(management.endEntity(mdm)).endEntity(mdm)],
  ] as const) {
    test(`refuses a client certificate ${what}`, async () => {
      assert.ok(await refused(client()));
    });
  }

  test('takes no certificate of a device for a client of management', async () => {
    const id = 'a-device';
    const secret = await authority.admin.expected(id);
    const key = makeKey('rsa-2048');
    const plain = await ScepClient.at(`${authority.scep}/device`);
    const answer = await plain.ask({ content: csrFor(id, key, { challengePassword: secret }), key });
    const pem = Buffer.from(answer.certificates[0]!).toString('base64');
    const cert = `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`;
    const tls = { ca: authority.trustPem, cert, key: privateKeyPem(key) };
    assert.equal((await askHttp(`${url}?operation=GetCACert`, { tls })).status, 403);
  });
});
