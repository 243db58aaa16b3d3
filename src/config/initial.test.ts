import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SallyportError } from '#errors';
import { initialConfiguration } from './initial.ts';
import { parseConfiguration } from './load.ts';

const load = (text: string) => parseConfiguration(Buffer.from(text), '/srv/ca/sallyport.yaml', {});

test('a first configuration loads without problems, on loopback only', () => {
  const configuration = load(initialConfiguration({ name: 'Example' }));
  const endpoints = configuration.listeners.map((listener) =>
    listener.class === 'admin' ? listener.socket : `${listener.class} ${listener.address} ${listener.port}`,
  );
  assert.deepEqual(endpoints, [
    'enroll 127.0.0.1 8443',
    'public 127.0.0.1 8444',
    '/srv/ca/run/admin.sock',
    'enroll 127.0.0.1 8445',
  ]);
  assert.equal(configuration.issuers[0]?.publicUrl, 'http://127.0.0.1:8444');
  assert.equal(configuration.log.origin, 'example/log');
  assert.deepEqual(
    configuration.templates.map(({ name }) => name),
    ['device', 'server', 'iot', 'web'],
  );
  const classes = configuration.deviceClasses.map(
    ({ name, attestation, approval }) => `${name} ${attestation} ${approval}`,
  );
  assert.deepEqual(classes, [
    'laptop none policy',
    'server none policy',
    'iot none always',
    'attested-laptop required policy',
  ]);
});

test('the limits it spells out are the defaults', () => {
  const text = initialConfiguration({ name: 'Example' });
  const without = text.replace(/^limits:\n(?: {2}.*\n)+/m, '');
  assert.notEqual(without, text);
  assert.deepEqual(load(without).limits, load(text).limits);
});

test('the port base moves the ports', () => {
  const { listeners, issuers } = load(initialConfiguration({ name: 'Example', portBase: 19000 }));
  assert.deepEqual(
    listeners.flatMap((listener) => ('port' in listener ? [listener.port] : [])),
    [19000, 19001, 19002],
  );
  assert.equal(issuers[0]?.publicUrl, 'http://127.0.0.1:19001');
  for (const portBase of [0, 65_534, 1.5, Number.NaN]) {
    assert.throws(() => initialConfiguration({ name: 'Example', portBase }), SallyportError);
  }
});

test('whatever the name and the folder are, they stay a name and a comment', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text));
  fc.assert(
    fc.property(name, fc.string({ unit: 'binary' }), (authority, directory) => {
      const configuration = load(initialConfiguration({ name: authority, directory }));
      assert.equal(configuration.authority.name, authority);
      assert.equal(configuration.listeners.length, 4);
    }),
    { numRuns: 50 },
  );
});
