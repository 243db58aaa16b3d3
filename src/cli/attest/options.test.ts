import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttestOptions, requireFitting } from './options.ts';

const est: AttestOptions = {
  est: 'https://ca.example.com/.well-known/est/device',
  trust: 'trust.pem',
  attestationKey: '0x81010100',
  attestationCertificate: 'ak.pem',
  out: 'identity',
  subject: 'laptop-7',
  secret: '-',
  wait: '10m',
};
const { est: _est, ...nowhere } = est;
const scep: AttestOptions = { ...nowhere, scep: 'https://ca.example.com/scep/device', nonce: 'AAAAAAAAAAA' };
const { subject: _subject, secret: _secret, ...nobody } = est;
const { attestationKey: _key, attestationCertificate: _certificate, ...uncertified } = est;
const { nonce: _nonce, ...withoutNonce } = scep;

test('options that fit', () => {
  const byCa = { ...uncertified, attestationCa: 'https://ca.example.com/attestation/ak' };
  for (const options of [est, scep, { ...nobody, renew: 'identity' }, byCa]) requireFitting(options);
});

for (const [options, message] of [
  [nowhere, /--est or --scep/],
  [uncertified, /--attestation-ca .* --attestation-key/],
  [{ ...uncertified, attestationKey: '0x81010100' }, /--attestation-ca .* --attestation-key/],
  [{ ...uncertified, attestationCa: 'http://ca.example.com/attestation/ak' }, /asked over https alone/],
  [{ ...est, est: 'http://ca.example.com/est' }, /EST is over https alone/],
  [{ ...scep, scep: 'http://ca.example.com/scep/device' }, /SCEP is over https here/],
  [nobody, /--subject .* --secret .* --renew/],
  [{ ...scep, renew: 'identity' }, /renew over EST/],
  [withoutNonce, /SCEP gives out no nonce/],
  [{ ...scep, key: 'ec-p256' }, /SCEP knows RSA keys alone/],
] as const) {
  test(`options that do not: ${message.source}`, () => {
    assert.throws(() => requireFitting(options), { code: 'usage', message });
  });
}
