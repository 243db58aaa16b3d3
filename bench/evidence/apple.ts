import { hash } from 'node:crypto';
import { encode } from 'cborg';
import { makeKey } from '../../test/harness/csr.ts';
import { TestCa } from '../../test/harness/pki.ts';
import { anchoredChain, extensionOf, nonce } from './anchored-chain.ts';
import type { Sample } from './formats.ts';

/** By the last arcs of 1.2.840.113635.100.8: as a Mac has them. */
const properties = {
  '9.1': 'C02XG2JHJG5H',
  '9.2': '00008103-000A1D2E0E90001E',
  '9.4': 'J413AP',
  '10.1': '26.1',
  '10.2': '26.0.1',
  '10.3': '18000.40.12',
  '11.1': hash('sha256', nonce.token, 'buffer'),
  '13.1': '0',
  '13.2': 'Full Security',
  '13.3': '0',
};

/** P-384 throughout. The certificate says everything, so that nothing else is signed. */
export function appleSample(): Sample {
  const p384 = () => ({ key: makeKey('ec-p384') });
  const root = TestCa.root('Enterprise Attestation Root CA', p384());
  const sub = root.intermediate('Enterprise Attestation Sub CA', p384());
  const leaf = sub.endEntity({
    ...p384(),
    subject: [{ type: 'commonName', value: 'leaf' }],
    extensions: Object.entries(properties).map(([arcs, value]) =>
      extensionOf(`1.2.840.113635.100.8.${arcs}`, Buffer.from(value)),
    ),
  });
  const { certificates, anchors, pathFloor } = anchoredChain('apple', leaf, [sub], root);
  const attStmt = { x5c: certificates.slice(0, -1) };
  return {
    evidence: { envelope: 'attestation-object', bytes: encode({ fmt: 'apple', attStmt }) },
    nonce,
    values: {
      anchors,
      levels: ['secure-enclave'],
      apple: {
        minimumOsVersion: '26.1',
        minimumSepOsVersion: '26.0.1',
        requireSystemIntegrityProtection: true,
        requireFullSecurity: true,
        forbidThirdPartyKernelExtensions: true,
      },
    },
    floor: null,
    pathFloor,
  };
}
