import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Configuration, initialConfiguration, parseConfiguration } from '#config';
import { directoryUrl } from './directory-url.ts';

/** Of the first listener. */
function configured(change: object, templates: readonly string[] = ['web', 'site']): Configuration {
  const text = initialConfiguration({ name: 'Test' });
  const configuration = parseConfiguration(Buffer.from(text), '/tmp/sallyport.yaml');
  const enroll = configuration.listeners.find((listener) => listener.class === 'enroll')!;
  const protocols = { acme: { templates, defaultTemplate: null } };
  return { ...configuration, listeners: [{ ...enroll, protocols, ...change }] };
}

suite('the ACME directory', () => {
  test('of one template is its own, of several the one of all', () => {
    const configuration = configured({ address: '192.0.2.1', port: 443 });
    assert.equal(directoryUrl(configuration, ['web']), 'https://192.0.2.1:443/acme/web/directory');
    assert.equal(directoryUrl(configuration, ['web', 'site']), 'https://192.0.2.1:443/acme/directory');
  });

  test('is at a name of this machine where the listener is at all of its addresses', () => {
    const urlAt = (address: string) => directoryUrl(configured({ address, port: 443 }), ['web']);
    assert.equal(urlAt('0.0.0.0'), 'https://localhost:443/acme/web/directory');
    assert.equal(urlAt('::'), 'https://localhost:443/acme/web/directory');
    assert.equal(urlAt('2001:db8::1'), 'https://[2001:db8::1]:443/acme/web/directory');
  });

  test('is nowhere where nobody serves all of them at a known port', () => {
    assert.equal(directoryUrl(configured({ port: 0 }), ['web']), null);
    assert.equal(directoryUrl(configured({ port: 443 }, ['web']), ['web', 'site']), null);
    assert.equal(directoryUrl(configured({ port: 443, protocols: {} }), ['web']), null);
    assert.equal(directoryUrl(configured({ class: 'public' }), ['web']), null);
  });
});
