import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withApi } from '../../../test/harness/api.ts';
import { initialConfiguration } from '../initial.ts';
import { parseConfiguration } from '../load.ts';
import { assertRefused, edited } from '../marked-file.fixture.ts';

const text = withApi(initialConfiguration({ name: 'Test' }));

describe('a listener for machines', () => {
  test('is there only where it is configured, asks for certificates and demands none', () => {
    const listenersOf = (yaml: string) => parseConfiguration(Buffer.from(yaml), '/authority.yaml').listeners;
    assert.ok(listenersOf(initialConfiguration({ name: 'Test' })).every((each) => each.class !== 'api'));
    const found = listenersOf(text).find((each) => each.class === 'api')!;
    assert.equal(found.clients, 'asked');
    assert.equal(found.tls.minimum, 'TLSv1.3');
    assert.equal(found.maximumBodyBytes, 65_536);
    assert.equal(found.tls.key.file, '/keys/listener.key.pem');
  });

  // In place of the public one, so that one edit does it.
  const api = (more: string, name = 'public') =>
    edited(
      '  public:\n    class: public\n    address: 127.0.0.1\n',
      `  ${name}:\n    class: api\n    address: 127.0.0.1\n${more}`,
    );
  const tls = '    tls: { certificate: pki/a.pem, key: { file: keys/a.pem } }\n';
  const sources = '    sources: [127.0.0.0/8]\n';
  const refusals: [name: string, more: string, key: string, message: RegExp][] = [
    [
      'with a protocol',
      `${tls}${sources}    §protocols: {}\n`,
      'listeners.public.protocols',
      /serves no enrollment protocol/,
    ],
    [
      'with a socket',
      `${tls}${sources}    §socket: run/api.sock\n`,
      'listeners.public.socket',
      /only an admin/,
    ],
    [
      'with certificates that nobody knows',
      `${tls}${sources}    clients: §none\n`,
      'listeners.public.clients',
      /asked, required/,
    ],
    [
      'with the webhook of Jamf Pro that nobody called experimental',
      `${tls}${sources}    jamf: { experimental: §false, device: { column: id } }\n`,
      'listeners.public.jamf.experimental',
      /true/,
    ],
    [
      'with secrets that live longer than any may',
      `${tls}${sources}    radius: { device: { attribute: User-Name, column: id }, lifetime: §8d }\n`,
      'listeners.public.radius.lifetime',
      /secrets\.maximumLifetime/,
    ],
    [
      'with the page of NDES for a template that there is not',
      `${tls}${sources}    ndes: { template: §printer }\n`,
      'listeners.public.ndes.template',
      /no template "printer"/,
    ],
  ];
  for (const [name, more, key, message] of refusals) {
    test(`is refused ${name}`, () => assertRefused(api(more), key, message));
  }

  test('is refused without sources, and without TLS', () => {
    assertRefused(api(tls, '§public'), 'listeners.public.sources', /^is required/);
    assertRefused(api(sources, '§public'), 'listeners.public.tls', /^is required/);
  });

  test('is refused with a key that has another purpose', () => {
    const shared = tls.replaceAll('keys/a.pem', 'keys/log.key.pem');
    const own = '    file: keys/log.key.pem';
    const log = edited(own, own.replace('keys', '§keys'), api(`${shared}${sources}`));
    assertRefused(log, 'log.key.file', /one purpose/);
  });
});
