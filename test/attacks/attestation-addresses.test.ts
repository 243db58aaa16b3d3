import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, describe, test } from 'node:test';
import { encodeAuthorityInfoAccess, encodeCrlDistributionPoints, type Extension, extensionOids } from '#x509';
import { AttestedLaptop } from '../harness/attested-laptop.ts';
import { attestingAuthority } from '../harness/attesting-device.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entryOf } from '../harness/expect.ts';
import { TestCa } from '../harness/pki.ts';
import { PlayedTpm } from '../harness/played-tpm.ts';

/** Who writes the certificates of evidence would have the authority look into its own network. */
describe('addresses in the certificates of evidence', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof attestingAuthority>>;
  let extensions: readonly Extension[];
  let connections = 0;
  before(async () => {
    authority = await attestingAuthority(cleanup);
    const server = createServer((_, response) => void response.end());
    server.on('connection', () => void (connections += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.after(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    extensions = [
      {
        oid: extensionOids.authorityInfoAccess,
        critical: false,
        value: encodeAuthorityInfoAccess({ caIssuers: [`${url}ca.cer`], ocsp: [`${url}ocsp`] }),
      },
      {
        oid: extensionOids.crlDistributionPoints,
        critical: false,
        value: encodeCrlDistributionPoints([`${url}ca.crl`]),
      },
    ];
  });

  test('are not asked where the evidence holds', async () => {
    const laptop = await AttestedLaptop.expected(authority, 'holds');
    const answer = await laptop.ask(authority.tpm('holds', { extensions }));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(connections, 0);
  });

  test('are not asked for what is lacking on its path', async () => {
    const laptop = await AttestedLaptop.expected(authority, 'lacks');
    const answer = await laptop.ask(
      PlayedTpm.certifiedBy(TestCa.root('Another attestation CA'), 'lacks', { extensions }),
    );
    assert.equal(answer.status, 403, answer.text);
    const { facts } = await entryOf(authority, answer);
    assert.match(facts.reasons['attestation-trusted'] ?? '', /^certification-path: /);
    assert.equal(connections, 0);
  });
});
