import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Configuration, initialConfiguration, parseConfiguration } from '#config';
import { chooseScepListener, scepUrl } from './scep-address.ts';

const initial = initialConfiguration({ name: 'Example' });
const load = (edit: (yaml: string) => string = (yaml) => yaml): Configuration =>
  parseConfiguration(Buffer.from(edit(initial)), '/example/sallyport.yaml');
const urlOf = (configuration: Configuration, given?: string, name?: string) =>
  scepUrl(chooseScepListener(configuration, 'device', name), 'device', given);
const scepAddress = 'class: enroll-http\n    address: 127.0.0.1';
const withEnroll = (yaml: string) =>
  yaml.replace(
    '    protocols:\n      est:',
    '    protocols:\n      scep: { templates: [device] }\n      est:',
  );

describe('the listener', () => {
  test('is the first that serves the template over SCEP, or the one that is named', () => {
    assert.equal(urlOf(load()), 'http://127.0.0.1:8445/scep/device');
    assert.equal(urlOf(load(withEnroll)), 'https://127.0.0.1:8443/scep/device');
    assert.equal(urlOf(load(withEnroll), undefined, 'scep'), 'http://127.0.0.1:8445/scep/device');
  });

  test('is not one that serves other templates, or EST alone', () => {
    const choose = (template: string, name?: string) => () => chooseScepListener(load(), template, name);
    assert.throws(choose('iot'), {
      code: 'usage',
      message: /no listener of .* serves template iot over SCEP/,
    });
    assert.throws(choose('device', 'enroll'), {
      code: 'usage',
      message: /no listener "enroll" serves template device over SCEP; scep does/,
    });
  });
});

describe('its address', () => {
  test('is in brackets where it is IPv6', () => {
    const six = load((yaml) => yaml.replace(scepAddress, scepAddress.replace('127.0.0.1', '"::1"')));
    assert.equal(urlOf(six), 'http://[::1]:8445/scep/device');
  });

  for (const everywhere of ['0.0.0.0', '::']) {
    test(`${everywhere} is none that a device can ask: --url says which`, () => {
      const all = load((yaml) =>
        yaml.replace(scepAddress, scepAddress.replace('127.0.0.1', `"${everywhere}"`)),
      );
      assert.throws(() => urlOf(all), {
        code: 'usage',
        message: /every address of this machine: say with --url/,
      });
      assert.equal(urlOf(all, 'http://scep.example.com'), 'http://scep.example.com/scep/device');
    });
  }

  test('a port that the system chooses is none either', () => {
    const any = load((yaml) => yaml.replace('port: 8445', 'port: 0'));
    assert.throws(() => urlOf(any), { code: 'usage', message: /chooses the port .* --url/ });
  });

  test('that is given gets our path where it has none, and keeps its own', () => {
    for (const [given, url] of [
      ['https://scep.example.com/', 'https://scep.example.com/scep/device'],
      ['http://[2001:db8::1]:8080', 'http://[2001:db8::1]:8080/scep/device'],
      [
        'https://scep.example.com/certsrv/mscep/mscep.dll',
        'https://scep.example.com/certsrv/mscep/mscep.dll',
      ],
    ] as const) {
      assert.equal(urlOf(load(), given), url);
    }
  });

  for (const given of [
    'scep.example.com',
    'ftp://scep.example.com',
    'http://user:secret@scep.example.com',
    'http://scep.example.com/?operation=x',
    'http://scep.example.com/#x',
    'http://scep.example.com/a b',
    "http://scep.example.com/';x",
    'http://scep.example.com/\nx',
  ]) {
    test(`is not ${JSON.stringify(given)}`, () => {
      assert.throws(() => urlOf(load(), given), { code: 'usage', message: /--url is an http or https URL/ });
    });
  }
});
