import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certify, certifyChain, pinned } from './certificates.fixture.ts';
import { renderMobileconfig } from './mobileconfig.ts';

const valuesOf = (xml: string, key: string) =>
  [...xml.matchAll(new RegExp(`<key>${key}</key>\\s*<(\\w+)>\\s*([^<]*?)\\s*</\\1>`, 'g'))].map(
    (found) => found[2]!,
  );

test('one root payload, and a pkcs1 payload for each CA below it, each with its DER', async () => {
  const holders = await certifyChain('Root', 'Policy', 'Issuing');
  const xml = renderMobileconfig(pinned('devices', holders), 'Example');
  assert.deepEqual(valuesOf(xml, 'PayloadType'), [
    'com.apple.security.root',
    'com.apple.security.pkcs1',
    'com.apple.security.pkcs1',
    'Configuration',
  ]);
  const [issuing, policy, root] = holders.map(({ certificate }) => certificate.der.toBase64());
  assert.deepEqual(
    [...xml.matchAll(/<data>([^<]*)<\/data>/g)].map((found) => found[1]!.replaceAll(/\s/g, '')),
    [root, issuing, policy],
  );
  assert.deepEqual(valuesOf(xml, 'PayloadVersion'), ['1', '1', '1', '1']);
});

test('the same chain gives the same bytes, and every UUID in it is another', async () => {
  const holders = await certifyChain('Root', 'Issuing');
  const xml = renderMobileconfig(pinned('devices', holders), 'Example');
  assert.equal(renderMobileconfig(pinned('devices', holders), 'Example'), xml);
  const uuids = valuesOf(xml, 'PayloadUUID');
  assert.equal(new Set(uuids).size, 3);
  const version8 = /^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/;
  for (const uuid of uuids) assert.match(uuid, version8);
});

test('a renewed issuing CA updates the installed profile; a new root comes beside it', async () => {
  const [issuing, root] = await certifyChain('Root', 'Issuing');
  const identity = (chain: Parameters<typeof pinned>[1], issuer = 'devices') => {
    const xml = renderMobileconfig(pinned(issuer, chain), 'Example');
    return {
      profile: valuesOf(xml, 'PayloadIdentifier').at(-1)!,
      uuid: valuesOf(xml, 'PayloadUUID').at(-1)!,
      rootUuid: valuesOf(xml, 'PayloadUUID')[0]!,
    };
  };
  const first = identity([issuing!, root!]);
  const renewed = identity([await certify('Issuing', root!), root!]);
  assert.equal(renewed.profile, first.profile);
  assert.equal(renewed.rootUuid, first.rootUuid);
  assert.notEqual(renewed.uuid, first.uuid);
  assert.notEqual(identity(await certifyChain('Root', 'Issuing')).profile, first.profile);
  assert.notEqual(identity([issuing!, root!], 'servers').profile, first.profile);
});

test('names with characters that XML reserves', async () => {
  const xml = renderMobileconfig(pinned('devices', await certifyChain('R&D <"Root">')), `Smith & 'Sons'`);
  assert.deepEqual(valuesOf(xml, 'PayloadOrganization'), ['Smith &amp; &apos;Sons&apos;']);
  // RFC 4514 escapes with a backslash first.
  assert.deepEqual(valuesOf(xml, 'PayloadDisplayName'), [
    String.raw`CN=R&amp;D \&lt;\&quot;Root\&quot;\&gt;`,
    'Smith &amp; &apos;Sons&apos; (devices)',
  ]);
});
