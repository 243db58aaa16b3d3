import { encode } from 'cborg';
import { der } from '#x509';
import { TestCa } from '../../test/harness/pki.ts';
import { anchoredChain, extensionOf, nonce } from './anchored-chain.ts';
import type { Sample } from './formats.ts';

const teeLevel = 1;

/** [n] EXPLICIT with any n (X.690 section 8.1.2.4). */
function tagged(n: number, inner: Uint8Array): Uint8Array {
  const head = n < 31 ? [0xa0 | n] : [0xbf, ...(n > 127 ? [0x80 | (n >> 7)] : []), n & 0x7f];
  return Uint8Array.from([...head, ...der.explicit(0, inner).subarray(1)]);
}

const text = (value: string) => der.octetString(Buffer.from(value));

const rootOfTrust = der.sequence(
  der.octetString(Buffer.alloc(32, 0xab)),
  der.boolean(true),
  der.enumerated(0),
  der.octetString(Buffer.alloc(32, 0xcd)),
);

const hardwareEnforced = der.sequence(
  tagged(1, der.set(der.integer(2))),
  tagged(2, der.integer(3)),
  tagged(503, der.null()),
  tagged(702, der.integer(0)),
  tagged(704, rootOfTrust),
  tagged(705, der.integer(160_000)),
  tagged(706, der.integer(202_608)),
  tagged(710, text('google')),
  tagged(711, text('caiman')),
  tagged(713, text('SN-1')),
  tagged(714, text('351163520096208')),
  tagged(716, text('Google')),
  tagged(717, text('Pixel 9 Pro')),
  tagged(718, der.integer(20_260_805)),
  tagged(719, der.integer(20_260_801)),
);

const keyDescription = der.sequence(
  der.integer(300),
  der.enumerated(teeLevel),
  der.integer(301),
  der.enumerated(teeLevel),
  der.octetString(nonce.toBeSigned),
  der.octetString(new Uint8Array()),
  der.sequence(tagged(701, der.integer(1_758_900_646_327))),
  hardwareEnforced,
);

const named = (attributes: Readonly<Record<string, string>>) => ({
  subject: Object.entries(attributes).map(([type, value]) => ({ type, value })),
});

/** A key of the TEE, remotely provisioned, P-256 throughout: five certificates, and no signature beside them. */
export function androidSample(): Sample {
  const root = TestCa.root('Key Attestation Root');
  const google = { organizationName: 'Google LLC' };
  const intermediate = root.intermediate('', named({ ...google, commonName: 'Droid CA2' }));
  const server = intermediate.intermediate('', named({ ...google, commonName: 'Droid CA3' }));
  const attestation = server.intermediate(
    '',
    named({ commonName: '65d2949536924da695f5ae1eb290cd4d', organizationName: 'TEE' }),
  );
  const target = attestation.endEntity({
    ...named({ commonName: 'Android Keystore Key' }),
    extensions: [extensionOf('1.3.6.1.4.1.11129.2.1.17', keyDescription)],
  });
  const sent = [attestation, server, intermediate];
  const { certificates, anchors, pathFloor } = anchoredChain('android-key', target, sent, root);
  return {
    evidence: {
      envelope: 'attestation-object',
      bytes: encode({ fmt: 'android-key', attStmt: { x5c: certificates } }),
    },
    nonce,
    values: {
      anchors,
      levels: ['tee'],
      android: {
        verifiedBootStates: ['verified'],
        verifiedBootKeys: null,
        dangerouslyAllowUnlocked: false,
        minimumOsPatchLevel: 202_608,
        minimumVendorPatchLevel: 20_260_805,
        minimumBootPatchLevel: 20_260_801,
        minimumAttestationVersion: 300,
        requireRemoteProvisioning: true,
        purposes: ['sign'],
        requireTagOrder: true,
      },
    },
    floor: null,
    pathFloor,
  };
}
