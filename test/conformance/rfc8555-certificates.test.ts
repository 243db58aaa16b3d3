import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { pemToDer } from '#x509';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { issue, problemOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

describe('RFC 8555, section 7.4.2, the certificate:', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newName = () => `certificate-${(hosts += 1)}.example.org`;

  test('is application/pem-certificate-chain, the leaf first, each certified by the next, without the root', async () => {
    const client = await authority.registered();
    const { order } = await issue(authority, client, [newName()]);
    const answer = await client.post(order['certificate'] as string, null);
    assert.equal(answer.headers['content-type'], 'application/pem-certificate-chain');
    assert.match(
      answer.text,
      /^(?:-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n)+$/,
    );
    const issuing = await readFile(`${authority.directory}/pki/issuing.pem`, 'utf8');
    const [, above, ...others] = pemToDer(answer.text, 'CERTIFICATE');
    assert.deepEqual([Buffer.from(above!), others], [Buffer.from(pemToDer(issuing, 'CERTIFICATE')[0]!), []]);
  });

  test('has the chain with the root as an alternate, and that one links back', async () => {
    const client = await authority.registered();
    const { order, pem } = await issue(authority, client, [newName()]);
    const url = order['certificate'] as string;
    const alternateOf = (link: readonly string[]) =>
      link.map((each) => /^<(.+)>;rel="alternate"$/.exec(each)?.[1]).find((each) => each !== undefined);
    const alternate = alternateOf((await client.post(url, null)).link);
    const whole = await client.post(alternate!, null);
    const root = await readFile(`${authority.directory}/pki/root.pem`, 'utf8');
    const [leaf, , last, ...others] = pemToDer(whole.text, 'CERTIFICATE');
    assert.deepEqual(leaf, pemToDer(pem, 'CERTIFICATE')[0]);
    assert.deepEqual([Buffer.from(last!), others], [Buffer.from(pemToDer(root, 'CERTIFICATE')[0]!), []]);
    assert.equal(alternateOf(whole.link), url);
  });

  test('is for its account alone, by POST-as-GET', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const { order } = await issue(authority, client, [newName()]);
    const url = order['certificate'] as string;
    assert.deepEqual(problemOf(await other.post(url, null)), [403, 'unauthorized']);
    assert.deepEqual(problemOf(await client.post(url, {})), [400, 'malformed']);
    assert.deepEqual(problemOf(await client.get(url)), [405, 'malformed']);
  });
});
