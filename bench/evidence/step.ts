import { createPublicKey, sign, verify } from 'node:crypto';
import { encode } from 'cborg';
import { der } from '#x509';
import { makeKey } from '../../test/harness/csr.ts';
import { TestCa } from '../../test/harness/pki.ts';
import { anchoredChain, extensionOf, nonce } from './anchored-chain.ts';
import type { Sample } from './formats.ts';

/** As a YubiKey of firmware 5.7.1 answers: a P-256 key, below a certificate of the device with an RSA key. */
export function stepSample(): Sample {
  const root = TestCa.root('Yubico PIV Root CA', { key: makeKey('rsa-2048') });
  const f9 = root.intermediate('Yubico PIV Attestation', { key: makeKey('rsa-2048') });
  const leaf = f9.endEntity({
    subject: [{ type: 'commonName', value: 'YubiKey PIV Attestation 9a' }],
    extensions: [
      extensionOf('1.3.6.1.4.1.41482.3.3', Uint8Array.of(5, 7, 1)),
      extensionOf('1.3.6.1.4.1.41482.3.7', der.integer(29_177_301)),
      extensionOf('1.3.6.1.4.1.41482.3.8', Uint8Array.of(2, 3)),
      extensionOf('1.3.6.1.4.1.41482.3.9', Uint8Array.of(3)),
    ],
  });
  const { certificates, anchors, pathFloor } = anchoredChain('step', leaf, [f9], root);
  const signature = new Uint8Array(sign('sha256', nonce.toBeSigned, leaf.key.privateKey));
  const attStmt = { alg: -7, sig: encode(signature), x5c: certificates.slice(0, -1) };
  const spki = Buffer.from(leaf.key.spki);
  return {
    evidence: { envelope: 'attestation-object', bytes: encode({ fmt: 'step', attStmt }) },
    nonce,
    values: {
      anchors,
      levels: ['security-key'],
      step: {
        minimumFirmware: '5.7.0',
        pinPolicies: ['once'],
        touchPolicies: ['cached'],
        formFactors: ['usb-c-keychain'],
      },
    },
    floor() {
      const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      if (!verify('sha256', nonce.toBeSigned, key, signature)) throw new Error('step does not verify');
    },
    pathFloor,
  };
}
