import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildName } from '#x509';
import { isAbout } from './about-device.ts';

const request = (observations: object, certificate: object | null = null) => ({
  type: 'request',
  certificate,
  observations: { device: null, secret: null, presenter: null, request: null, ...observations },
});
const subject = (value: string) => ({ subject: buildName([{ type: 'commonName', value }]) });
const device = { id: 'eva' };

suite('an entry is the device’s', () => {
  for (const [what, entry] of [
    ['that asked', request({ device: { id: 'ida' } })],
    ['that got the certificate', request({ device: { id: 'ida' } }, { deviceId: 'ida' })],
    ['whose certificate was presented', request({ device, presenter: { record: { deviceId: 'ida' } } })],
    ['whose name stood beside a secret', request({ device, secret: { userNameDevice: 'ida' } })],
    ['whose name was asked for, where no device was recognised', request({ request: subject('ida') })],
    ['whose account a message is of', { ...request({}), detail: { device: 'ida' } }],
    ['that an act was done to', { type: 'act', detail: { device: 'ida' } }],
    ['that was in a list', { type: 'act', detail: { devices: ['eva', 'ida'] } }],
    ['that an event tells of', { type: 'authority', detail: { deviceId: 'ida' } }],
  ] as const) {
    test(what, () => {
      assert.equal(isAbout('ida', entry), true);
      assert.equal(isAbout('id', entry), false);
    });
  }

  test('and not, where another one got a certificate by it, or asked for its name', () => {
    const certificate = { deviceId: 'eva' };
    const presenter = { record: { deviceId: 'ida' } };
    assert.equal(isAbout('ida', request({ device, presenter }, certificate)), false);
    assert.equal(isAbout('ida', request({ device, request: subject('ida') })), false);
    assert.equal(isAbout('ida', { type: 'act', detail: { template: 'ida', devices: null } }), false);
  });
});
