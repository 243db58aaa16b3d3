import { hash } from 'node:crypto';
import type { Certificate } from '#x509';
import type { AssuranceLevel, EvidenceFormat } from './evidence.ts';

/** A certificate that its vendor publishes as a root of attestation. */
export interface KnownRoot {
  readonly vendor: string;
  readonly name: string;
  /** What it can vouch for, and nothing else. */
  readonly formats: readonly EvidenceFormat[];
  /** Of all that stands below it; null: evidence or its operator says. */
  readonly level: AssuranceLevel | null;
}

type Row = readonly [sha256: string, name: string];

interface Vendor {
  readonly vendor: string;
  readonly formats: readonly EvidenceFormat[];
  readonly level: AssuranceLevel | null;
  readonly roots: readonly Row[];
}

/**
 * Fingerprints are facts; the certificates themselves come from their vendors. Those of makers of TPMs are as loicsikidi/tpm-ca-certificates (366e970, May 2026)
 * has them, with where each was published. Whoever makes chips alone makes discrete TPMs; those of AMD, Intel and Pluton are firmware on a processor. GlobalSign
 * certified STMicroelectronics' roots and may have certified others', and Microsoft's root of 2014 is above attestation keys of every kind of TPM: of those the root
 * decides no level.
 */
const vendors: readonly Vendor[] = [
  {
    vendor: 'AMD',
    formats: ['endorsement'],
    level: 'firmware-tpm',
    roots: [
      ['593a1794f9e17476c7ad427d2908a97c451451c9e0939fdc80d5d662c232d401', 'Pluton Global Factory ICA'],
      ['14aac9fd58471a612afd75d8c0955daf99f091b1863702f9e0d4113faf234f9d', 'AMDTPM, ECC'],
      ['67bd2472a546751caca5f358a78f80727531671338960a9bcfdfbe6a34d0c6a1', 'AMDTPM, RSA'],
    ],
  },
  {
    vendor: 'Infineon',
    formats: ['endorsement'],
    level: 'discrete-tpm',
    roots: [
      ['cfeb02fecd55ad7a73c6e1d11985d4c47dee248ab63dcb66091a2489660443c3', 'OPTIGA ECC Root CA'],
      ['ee0c827555c4e9012037df4257bb8aaa26084a17b13ede41cd7895c8d6c11190', 'OPTIGA ECC Root CA 2'],
      ['899e35474c9807eb4c7f2f7a12da0028fb250cd02154d0009fca7d9c66574f3b', 'OPTIGA RSA Root CA'],
      ['b413c71580af3ec5efe83fad31db2d4af4612355e3b01e50903b10763d738894', 'OPTIGA RSA Root CA 2'],
    ],
  },
  {
    vendor: 'Intel',
    formats: ['endorsement'],
    level: 'firmware-tpm',
    roots: [['beb40bb7507b33967226aa80e084749fbb6593893c642e818d682e9a8d07fc24', 'OnDie CA Root']],
  },
  {
    vendor: 'Microsoft',
    formats: ['endorsement'],
    level: 'firmware-tpm',
    roots: [['32ab5fe7cb4396659fcb621ca14c6fb8fc2420f64050637d77e45a86c5d3916e', 'Pluton Root CA 2021']],
  },
  {
    vendor: 'Microsoft',
    formats: ['tpm', 'endorsement'],
    level: null,
    roots: [
      [
        '870c7a35ceab3d59979f2c6a524042d404cb71518004350925fb2ced79a999da',
        'TPM Root Certificate Authority 2014',
      ],
    ],
  },
  {
    vendor: 'NSING',
    formats: ['endorsement'],
    level: 'discrete-tpm',
    roots: [
      ['6ccf8a8a803d07a002a15d4889ffa0b125e4a82a1fe4211db3c6e8592919f9dc', 'TPM ECC ROOT CA 001'],
      ['72ca00612395af027cd84c5514219f110e964dfa0bfc1efbb3ac147e3b173971', 'TPM RSA ROOT CA 001'],
    ],
  },
  {
    vendor: 'Nuvoton',
    formats: ['endorsement'],
    level: 'discrete-tpm',
    roots: [
      ['083e7bd13e8fe0bb9b0c64db9e0c8356681df65714d2d5c4925eb98ae1369d40', 'NPCTxxx ECC521 RootCA'],
      ['2782e51a95e86d9557fe4204316cf805bd6f5898f81f9732e944d742bcdc5f54', 'TPM Root CA 1110'],
      ['e38c280f7c0e0b49f31efc7531032bb6a86c3fba4eb89beb1d510eaa4510ae4a', 'TPM Root CA 1111'],
      ['cd8185ff8995ed09811970090a8c36fafab34ef87f47fa51fdb9ecf95c9c2e04', 'TPM Root CA 2111'],
      ['66e3a1013d4f697700f731e7d68c69b58351f90ec9580d85862d020ab4abf1af', 'TPM Root CA 2112'],
      ['ba70a6ea7b77c7fee8947a07b1e70e0b26d39ce5e6307f63d5e4b9507f19a157', 'TPM Root CA 1210'],
      ['fc61abbc18100f460205ebe09d8c3e6995ac2be2234344a7facb62e15f9a7584', 'TPM Root CA 2210'],
      ['2bbc5db224b8f28a6d2cf336d4da7ab21c8c490e3d60ef497801dc0b6ac00227', 'TPM Root CA 2211'],
    ],
  },
  {
    vendor: 'GlobalSign',
    formats: ['endorsement'],
    level: null,
    roots: [
      [
        '5a8c7b5eb888cfce9322068e80e82b28b554ffeb7fdc9638dcb3763077401d26',
        'Trusted Platform Module ECC Root CA',
      ],
      ['f27bf02c6e00c73d915eeb6a6a2f5fbf0c31ae0393149e6b5c31e41b113841c3', 'Trusted Platform Module Root CA'],
    ],
  },
  {
    vendor: 'STMicroelectronics',
    formats: ['endorsement'],
    level: 'discrete-tpm',
    roots: [
      ['c541d7e5b9e3f935621acbd403896225ec641036c9ae3b5f7ac793a606ff9b79', 'STM TPM ECC Root CA 01'],
      ['f8e37a86b689a20a6cc0c40cc3f81fb130fa9f44ce7ffa60d62590aaf87273a9', 'STM TPM EK Root CA'],
      ['fd1e7b68accd825636b27b3177c67402d463a7f04c97b6c47ab705fcdc1a04f6', 'STSAFE ECC Root CA 02'],
      ['c8f179943356e13d9d84b100201cefabbf408880241e5329e60d950ce1dea623', 'STSAFE RSA Root CA 02'],
    ],
  },
  {
    // android/keyattestation (47f970d, July 2026) and GrapheneOS/AttestationServer: the first four are of one key.
    vendor: 'Google',
    formats: ['android-key'],
    level: null,
    roots: [
      ['c1984a3ef45c1e2a918551de10603c86f7051b2249c4891cae3230eabd0c97d5', 'hardware attestation, 2016'],
      ['1ef1a04b8ba58ab94589ac498c8982a783f24ea7307e0159a0c3a73b377d87cc', 'hardware attestation, 2019'],
      ['ab6641178a36e179aa0c1cdddf9a16eb45fa20943e2b8cd7c7c05c26cf8b487a', 'hardware attestation, 2021'],
      ['cedb1cb6dc896ae5ec797348bce9286753c2b38ee71ce0fbe34a9a1248800dfc', 'hardware attestation, 2022'],
      ['6d9db4ce6c5c0b293166d08986e05774a8776ceb525d9e4329520de12ba4bcc0', 'Key Attestation CA1, 2025'],
    ],
  },
  {
    // smallstep/certificates (1c44aec, August 2026), as the next.
    vendor: 'Apple',
    formats: ['apple'],
    level: null,
    roots: [
      ['ccf59ef8fcb3017d97f8b5fa6fa90e7a3f9283f76b55ac6cf6eda8b8b949f05b', 'Enterprise Attestation Root CA'],
    ],
  },
  {
    vendor: 'Yubico',
    formats: ['step'],
    level: null,
    roots: [
      ['63ece914e54dd87915f34033c85af4c0696ba1512f8add66ced738331207b546', 'PIV Root CA Serial 263751'],
      ['62760c6a6ef91679f454c8902b80fd009825b3f25da90f1fbace2ec6586cd5a8', 'Attestation Root 1'],
    ],
  },
];

/** By SHA-256 of the certificate, lower-case hexadecimal. */
export const knownRoots: ReadonlyMap<string, KnownRoot> = new Map(
  vendors.flatMap(({ roots, ...vendor }) => roots.map(([sha256, name]) => [sha256, { ...vendor, name }])),
);

/** Octet for octet: a vendor that issues its root anew publishes another fingerprint. null: nobody has published it here. */
export function knownRootOf({ der }: Pick<Certificate, 'der'>): KnownRoot | null {
  return knownRoots.get(hash('sha256', der)) ?? null;
}
