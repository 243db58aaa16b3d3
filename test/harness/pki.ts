import { randomBytes, sign } from 'node:crypto';
import {
  assembleSigned,
  buildName,
  type Der,
  der,
  derToPem,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeName,
  encodeSubjectAltName,
  encodeSubjectKeyIdentifier,
  encodeTbsCertificate,
  type Extension,
  extendedKeyUsages,
  extensionOids,
  type GeneralName,
  keyIdentifier,
  type KeyUsage,
  oids,
  parseCertificate,
} from '#x509';
import { type ClientKey, makeKey } from './csr.ts';

const day = 86_400_000;

/** 99991231235959Z: "no well-defined expiration date" (RFC 5280 section 4.1.2.5), as IEEE 802.1AR section 8.7 has it in IDevIDs. */
export const noEnd = Date.UTC(9999, 11, 31, 23, 59, 59);

type Attributes = readonly { readonly type: string; readonly value: string }[];

export interface CertificateSettings {
  readonly subject: Attributes;
  readonly key?: ClientKey;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly subjectAltName?: readonly GeneralName[];
  readonly extendedKeyUsage?: readonly (keyof typeof extendedKeyUsages)[];
  /** Of the key, where it is not to stand as it is. */
  readonly spki?: Der;
  readonly keyUsage?: readonly KeyUsage[];
  /** Besides. */
  readonly extensions?: readonly Extension[];
}

export interface CaSettings extends Partial<CertificateSettings> {
  readonly pathLength?: number;
  /** false: an end entity's certificate, with all else that a CA has. */
  readonly ca?: boolean;
}

/** A certificate with its key, and with what its holder sends beside it: the CAs between it and the root. */
export class Certified {
  readonly certificate: Der;
  readonly key: ClientKey;
  readonly chain: readonly Der[];

  constructor(certificate: Der, key: ClientKey, chain: readonly Der[]) {
    this.certificate = certificate;
    this.key = key;
    this.chain = chain;
  }

  get pem(): string {
    return derToPem(this.certificate, 'CERTIFICATE');
  }

  /** The same, with this beside it instead. */
  sending(...chain: readonly Der[]): Certified {
    return new Certified(this.certificate, this.key, chain);
  }
}

/** Whoever signs certificates, whether its own allows that or not. */
export class TestCa extends Certified {
  static root(commonName: string, settings: CaSettings = {}): TestCa {
    const key = settings.key ?? makeKey();
    const subject = settings.subject ?? [{ type: 'commonName', value: commonName }];
    const issuer = { name: encodeName(buildName(subject)), key };
    return new TestCa(certificate({ subject, key, ...settings }, caExtensions(settings), issuer), key, []);
  }

  /** Signs with a certificate that is none of a CA. */
  static of({ certificate, key, chain }: Certified): TestCa {
    return new TestCa(certificate, key, chain);
  }

  intermediate(commonName: string, settings: CaSettings = {}): TestCa {
    const subject = settings.subject ?? [{ type: 'commonName', value: commonName }];
    const { certificate, key, chain } = this.#signed({ ...settings, subject }, caExtensions(settings));
    return new TestCa(certificate, key, chain);
  }

  /** IEEE 802.1AR section 8: no end, no extended key usage, the device in HardwareModuleName or in the subject's serialNumber. */
  idevid({
    hardwareModule,
    serialNumber,
    ...settings
  }: Partial<CertificateSettings> & {
    readonly hardwareModule?: string | Uint8Array;
    readonly serialNumber?: string;
  }): Certified {
    const subject = [
      { type: 'organizationName', value: 'Example Devices' },
      ...(serialNumber === undefined ? [] : [{ type: 'serialNumber', value: serialNumber }]),
    ];
    const names =
      hardwareModule === undefined ? {} : { subjectAltName: [hardwareModuleName(hardwareModule)] };
    return this.endEntity({ subject, notAfter: noEnd, ...names, ...settings });
  }

  /** What a registration authority forwards requests with (RFC 7030 section 3.3.2). */
  registrationAuthority(commonName: string, settings: Partial<CertificateSettings> = {}): Certified {
    return this.endEntity({
      subject: [{ type: 'commonName', value: commonName }],
      extendedKeyUsage: ['clientAuth', 'cmcRA'],
      ...settings,
    });
  }

  endEntity(settings: CertificateSettings): Certified {
    const { keyUsage = ['digitalSignature'] } = settings;
    return this.#signed(settings, [extension('keyUsage', encodeKeyUsage(keyUsage), true)]);
  }

  #signed(settings: CertificateSettings, extensions: readonly Extension[]): Certified {
    const key = settings.key ?? makeKey();
    const { subjectDer, issuerDer } = parseCertificate(this.certificate);
    const issuer = { name: subjectDer, key: this.key };
    const isRoot = Buffer.compare(subjectDer, issuerDer) === 0;
    const chain = isRoot ? [] : [this.certificate, ...this.chain];
    return new Certified(certificate({ ...settings, key }, extensions, issuer), key, chain);
  }
}

/** RFC 4108 section 5; the type is of the arc for examples. */
export function hardwareModuleName(
  serialNumber: string | Uint8Array,
  type = '1.3.6.1.4.1.32473.7',
): GeneralName {
  const octets = typeof serialNumber === 'string' ? Buffer.from(serialNumber) : serialNumber;
  const value = der.sequence(der.oid(type), der.octetString(octets));
  return { kind: 'otherName', type: oids.hardwareModuleName, value: Buffer.from(value).toString('base64') };
}

function caExtensions({ ca = true, pathLength, keyUsage = ['keyCertSign', 'cRLSign'] }: CaSettings) {
  const constraints = ca && pathLength !== undefined ? { ca, pathLength } : { ca };
  return [
    extension('basicConstraints', encodeBasicConstraints(constraints), true),
    extension('keyUsage', encodeKeyUsage(keyUsage), true),
  ];
}

function certificate(
  settings: CertificateSettings & { readonly key: ClientKey },
  extensions: readonly Extension[],
  issuer: { readonly name: Der; readonly key: ClientKey },
): Der {
  const { subject, key, subjectAltName, extendedKeyUsage } = settings;
  const tbs = encodeTbsCertificate({
    // Positive, and of its full length.
    serialNumber: `4${randomBytes(16).toString('hex').slice(1)}`,
    signatureAlgorithm: issuer.key.algorithm,
    issuer: issuer.name,
    subject: buildName(subject),
    notBefore: settings.notBefore ?? Date.now() - day,
    notAfter: settings.notAfter ?? Date.now() + 3650 * day,
    spki: settings.spki ?? key.spki,
    extensions: [
      ...extensions,
      ...(settings.extensions ?? []),
      extension('subjectKeyIdentifier', encodeSubjectKeyIdentifier(keyIdentifier(key.spki))),
      extension('authorityKeyIdentifier', encodeAuthorityKeyIdentifier(keyIdentifier(issuer.key.spki))),
      ...(subjectAltName === undefined
        ? []
        : [extension('subjectAltName', encodeSubjectAltName(subjectAltName))]),
      ...(extendedKeyUsage === undefined
        ? []
        : [
            extension(
              'extendedKeyUsage',
              encodeExtendedKeyUsage(extendedKeyUsage.map((name) => extendedKeyUsages[name])),
            ),
          ]),
    ],
  });
  const hash = issuer.key.algorithm === 'ec-p384' ? 'sha384' : 'sha256';
  return assembleSigned(tbs, issuer.key.algorithm, sign(hash, tbs, issuer.key.privateKey));
}

function extension(name: keyof typeof extensionOids, value: Der, critical = false): Extension {
  return { oid: extensionOids[name], critical, value };
}
