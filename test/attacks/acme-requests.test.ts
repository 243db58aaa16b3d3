import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { buildName, der, encodeSubjectAltName, extensionOids, type GeneralName } from '#x509';
import { type AcmeClient, type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { assertObjected, assertRejected, typeOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { changeSubjectName, type CsrSettings, makeCsr, makeKey } from '../harness/csr.ts';
import { entryOf } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { TestDevice } from '../harness/test-device.ts';

describe('certification requests that are not what was ordered', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let client: AcmeClient;
  before(async () => {
    authority = await acmeAuthority(cleanup, (yaml) => {
      const settings = parse(yaml) as { templates: Record<string, Record<string, unknown>> };
      settings.templates['other']!['renewal'] = { changeSubjectName: true };
      return stringify(settings, { aliasDuplicateObjects: false });
    });
    client = await authority.registered({ names: ['.example.org', '127.0.0.1'] });
  });
  let hosts = 0;
  const newHost = () => authority.host(`host-${(hosts += 1)}.example.org`);
  const ready = async (names: readonly (string | Json)[], by = client) => {
    const ordered = await by.order(names);
    assert.equal(ordered.status, 201, ordered.text);
    await by.prove(ordered.body, 'http-01', authority.byHttp);
    return ordered.body;
  };
  const dns = (value: string): GeneralName => ({ kind: 'dns', value });
  const finalize = async (order: Json, settings: Omit<CsrSettings, 'key'> & Partial<CsrSettings>) =>
    client.finalize(order, makeCsr({ key: makeKey(), ...settings }));

  test('other names: more, fewer, none, another one, of another kind, with other spellings', async () => {
    const [a, b, c] = [newHost(), newHost(), newHost()];
    const order = await ready([a, b]);
    for (const names of [
      [a],
      [b],
      [],
      [a, b, c],
      [a, c],
      [a, b, `www.${a}`],
      [a, `*.${b}`],
      [a, b, `*.${b}`],
      [a, `${b}.`],
      [a, `.${b}`],
      [`${a},${b}`, b],
    ]) {
      const answer = await finalize(order, names.length === 0 ? {} : { subjectAltName: names.map(dns) });
      const entry = await entryOf(authority, answer);
      const controls = entry.verdict.objections.map(({ control }) => control);
      assert.equal(typeOf(answer.body), 'badCSR', answer.text);
      assert.ok(controls.includes('account-order'), names.join());
    }
    const bare = await assertObjected(
      authority,
      await finalize(order, { subjectAltName: [a, c].map(dns) }),
      'badCSR',
      ['account-order'],
    );
    assert.match(bare.verdict.objections[0]!.detail, /other identifiers than order/);
  });

  test('names in the commonName: another one, one too many, an address, several, in one RDN', async () => {
    const [a, c] = [newHost(), newHost()];
    const order = await ready([a]);
    const cn = (value: string) => ({ type: 'commonName', value });
    for (const subject of [
      [cn(c)],
      [cn(a), cn(c)],
      [cn('127.0.0.1')],
      [cn(`*.${a}`)],
      [cn(`evil ${a}`)],
      [cn('ａ.example.org')],
    ]) {
      for (const subjectAltName of [[dns(a)], undefined]) {
        const answer = await finalize(order, { subject, subjectAltName });
        assert.equal(typeOf(answer.body), 'badCSR', answer.text);
        const { outcome, verdict } = await entryOf(authority, answer);
        if (outcome === 'malformed') continue;
        assert.ok(
          verdict.objections.some(({ control }) => control === 'account-order'),
          JSON.stringify(subject),
        );
      }
    }
  });

  test('addresses as names of DNS, names as addresses, and other addresses', async () => {
    const order = await ready([{ type: 'ip', value: '127.0.0.1' }]);
    const ip = (value: string): GeneralName => ({ kind: 'ip', value });
    for (const subjectAltName of [
      [dns('127.0.0.1')],
      [ip('127.0.0.2')],
      [ip('127.0.0.1'), dns('127.0.0.1')],
      [ip('::ffff:127.0.0.1')],
      [dns('127.1')],
    ]) {
      const answer = await finalize(order, { subjectAltName });
      assert.equal(typeOf(answer.body), 'badCSR', answer.text);
      const { verdict } = await entryOf(authority, answer);
      assert.ok(
        verdict.objections.some(({ control }) => control === 'account-order'),
        JSON.stringify(subjectAltName),
      );
    }
  });

  test('octets that are no name: NUL, UTF-8, white space, in what is signed', async () => {
    const a = newHost();
    const order = await ready([a]);
    for (const octets of [`${a}\0`, `${a}\0.evil.test`, `${a} `, `é.${a}`, '', `${a}\n`, 'a'.repeat(300)]) {
      const value = der.sequence(
        Buffer.from([0x82, ...lengthOf(Buffer.byteLength(octets)), ...Buffer.from(octets)]),
      );
      const extensions = [{ oid: extensionOids.subjectAltName, critical: false, value }];
      const answer = await finalize(order, { extensions });
      assert.equal(typeOf(answer.body), 'badCSR', answer.text);
      const { outcome, verdict } = await entryOf(authority, answer);
      if (outcome === 'rejected') continue;
      assert.ok(
        verdict.objections.some(({ control }) => control === 'account-order'),
        JSON.stringify(octets),
      );
    }
  });

  test('names of kinds that no order has, beside those that were ordered', async () => {
    const a = newHost();
    const order = await ready([a]);
    for (const name of [
      { kind: 'email', value: 'ada@example.org' },
      { kind: 'uri', value: `https://${a}/` },
      { kind: 'uri', value: 'tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500' },
      { kind: 'directoryName', value: buildName([{ type: '2.5.4.3', value: 'ada' }]) },
    ] as GeneralName[]) {
      const answer = await finalize(order, { subjectAltName: [dns(a), name] });
      const { verdict } = await entryOf(authority, answer);
      assert.ok(
        verdict.objections.some(({ control }) => control === 'account-order'),
        name.kind,
      );
    }
  });

  test('an alternative name extension twice', async () => {
    const [a, c] = [newHost(), newHost()];
    const order = await ready([a]);
    const extension = (name: string) => ({
      oid: extensionOids.subjectAltName,
      critical: false,
      value: encodeSubjectAltName([dns(name)]),
    });
    const answer = await finalize(order, { extensions: [extension(a), extension(c)] });
    assert.equal(typeOf(answer.body), 'badCSR', answer.text);
    assert.equal((await entryOf(authority, answer)).outcome, 'rejected');
  });

  test('a certification authority, a security identifier, an extension that nobody knows', async () => {
    const a = newHost();
    const order = await ready([a]);
    const ca = {
      oid: extensionOids.basicConstraints,
      critical: true,
      value: der.sequence(der.boolean(true)),
    };
    const sid = {
      oid: '1.3.6.1.4.1.311.25.2',
      critical: false,
      value: der.octetString(Buffer.from('S-1-5-21')),
    };
    const odd = { oid: '1.2.3.4', critical: false, value: der.null() };
    const subjectAltName = [dns(a)];
    for (const [extension, controls] of [
      [ca, ['request-end-entity']],
      [sid, ['request-no-sid']],
      [odd, ['request-extensions']],
    ] as const) {
      const answer = await finalize(order, { subjectAltName, extensions: [extension] });
      await assertObjected(authority, answer, 'badCSR', controls);
    }
  });

  test('a request that its key did not sign', async () => {
    const a = newHost();
    const order = await ready([a]);
    const answer = await finalize(order, { subjectAltName: [dns(a)], signWith: makeKey() });
    await assertObjected(authority, answer, 'badCSR', ['request-possession']);
  });

  test('the key of an account: its own, and of another', async () => {
    const a = newHost();
    const order = await ready([a]);
    const other = await authority.registered();
    for (const { key } of [client, other]) {
      const spki = new Uint8Array(createPublicKey(key.privateKey).export({ type: 'spki', format: 'der' }));
      const answer = await client.finalize(
        order,
        orderCsr([a], { algorithm: 'ec-p256', privateKey: key.privateKey, spki }),
      );
      await assertRejected(authority, answer, 'badCSR', /key of an account/);
    }
  });

  test('a key that another device has', async () => {
    const device = await TestDevice.enrolled(authority, 'holder-1');
    const a = newHost();
    const order = await ready([a]);
    const answer = await client.finalize(order, orderCsr([a], device.key));
    await assertObjected(authority, answer, 'badCSR', ['key-unshared']);
    const other = await authority.registered();
    const key = makeKey();
    const [b, c] = [newHost(), newHost()];
    assert.equal((await other.finalize(await ready([b], other), orderCsr([b], key))).body['status'], 'valid');
    await assertObjected(authority, await client.finalize(await ready([c]), orderCsr([c], key)), 'badCSR', [
      'key-unshared',
    ]);
  });

  test('no request, one that is none, one for another order', async () => {
    const a = newHost();
    const order = await ready([a]);
    const url = order['finalize'] as string;
    for (const csr of [
      undefined,
      1,
      null,
      '',
      'AAAA',
      '!',
      'MAA',
      Buffer.alloc(70_000).toString('base64url').slice(0, 40_000),
    ]) {
      const answer = await client.post(url, { csr });
      assert.match(typeOf(answer.body), /^(?:badCSR|malformed)$/, answer.text);
    }
    const pem = await client.post(url, { csr: '-----BEGIN CERTIFICATE REQUEST-----' });
    await assertRejected(authority, pem, 'badCSR', /not base64url/);
  });

  test('a renewal that asks for what was ordered, and to change it into something else (RFC 6402 section 2.8)', async () => {
    const by = await authority.registered({}, 'other');
    const [a, b] = [newHost(), newHost()];
    const subjectAltName = [dns(a), dns(b)];
    const first = await by.finalize(await ready([a, b], by), orderCsr([a, b]));
    assert.equal(first.body['status'], 'valid', first.text);
    for (const names of [[a], [a, b], [a, newHost()]]) {
      const attributes = [changeSubjectName({ subjectAltName: names.map(dns) })];
      const csr = makeCsr({ key: makeKey(), subjectAltName, attributes });
      const answer = await by.finalize(await ready([a, b], by), csr);
      const { verdict } = await entryOf(authority, answer);
      assert.ok(
        verdict.objections.some(({ control }) => control === 'account-order'),
        answer.text,
      );
    }
  });

  test('a name in other letters is the same name', async () => {
    const a = newHost();
    const order = await ready([a.toUpperCase()]);
    assert.deepEqual(order['identifiers'], [{ type: 'dns', value: a }]);
    const done = await finalize(order, { subjectAltName: [dns(a.toUpperCase())] });
    assert.equal(done.body['status'], 'valid', done.text);
  });

  test('a name with letters that become others in lower case, and other names that nobody can order', async () => {
    for (const name of [
      'ban\u212A.example.org',
      'a\u0130.example.org',
      'a..example.org',
      '.example.org',
      '*.*.example.org',
      '*example.org',
      'a.*.example.org',
      'a.example.org.',
      'xn--a.example.org',
      'a_b.example.org',
      'a.example.org\0',
      'a.example.org:80',
      '-a.example.org',
      ' a.example.org',
      '127.0.0.1',
      `${'a'.repeat(64)}.example.org`,
      `${'a.'.repeat(125)}example.org`,
    ]) {
      const answer = await client.order([name]);
      await assertRejected(authority, answer, 'malformed', /./);
    }
    for (const value of [
      '127.0.0.01',
      '::ffff:127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '[::1]',
      '::1%lo',
      '127.0.0.1/8',
    ]) {
      await assertRejected(authority, await client.order([{ type: 'ip', value }]), 'malformed', /./);
    }
    for (const type of ['DNS', 'email', '__proto__', 'permanent-identifier']) {
      await assertRejected(
        authority,
        await client.order([{ type, value: 'a.example.org' }]),
        'unsupportedIdentifier',
        /cannot be ordered/,
      );
    }
  });

  test('nothing was issued but what was meant to be, and the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});

function lengthOf(length: number): number[] {
  return length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
}
