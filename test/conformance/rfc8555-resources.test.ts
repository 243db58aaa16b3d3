import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AcmeClient } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

describe('RFC 8555, section 7.1, resources:', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let client: AcmeClient;
  let order: string;
  before(async () => {
    authority = await acmeAuthority(cleanup);
    client = await authority.registered();
    const ordered = await client.order(['resources.example.org']);
    order = ordered.headers['location']!;
  });

  test('all but the directory link to it, as index', async () => {
    const index = `<${authority.base}/acme/directory>;rel="index"`;
    const ofTemplate = `<${authority.base}/acme/web/directory>;rel="index"`;
    const { newNonce, newOrder } = client.directory;
    for (const answer of [
      await client.get(newNonce!),
      await client.get(newNonce!, 'HEAD'),
      await client.post(newOrder!, {}),
    ]) {
      assert.ok(answer.link.includes(ofTemplate), answer.link.join());
    }
    for (const url of [order, client.kid!, `${client.kid}/orders`]) {
      assert.ok((await client.post(url, null)).link.includes(index));
    }
    assert.deepEqual((await client.get(newNonce!.replace('new-nonce', 'directory'))).link, []);
  });

  test('7.1.1: the directory has an address for each resource, and none for pre-authorization', async () => {
    const { meta: _, ...resources } = client.directory;
    assert.deepEqual(Object.keys(resources).toSorted(), [
      'keyChange',
      'newAccount',
      'newNonce',
      'newOrder',
      'renewalInfo',
      'revokeCert',
    ]);
    for (const url of Object.values(resources)) assert.ok(url.startsWith(`${authority.base}/acme/web/`));
    assert.deepEqual(Object.keys(client.meta).toSorted(), ['externalAccountRequired', 'profiles']);
  });

  test('7.1.1: caaIdentities is the name that CAA records are compared with', async () => {
    const careful = await acmeAuthority(cleanup, (yaml) =>
      yaml.replaceAll('networks:', 'caa: ca.example.net\n      networks:'),
    );
    assert.deepEqual((await careful.client()).meta['caaIdentities'], ['ca.example.net']);
  });
});
