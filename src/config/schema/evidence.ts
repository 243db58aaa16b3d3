import * as z from 'zod';
import {
  anchoredFormats,
  assuranceLevels,
  evidenceIdentities,
  formFactors,
  keyPurposes,
  pinPolicies,
  touchPolicies,
  verifiedBootStates,
} from '#evidence';
import { distinct, duration, entryName, oid, path } from './values.ts';
import { verifier } from './verifier.ts';

const optionalFloor = (least: number, most: number, words: string) =>
  z.int().min(least).max(most).nullable().default(null).describe(words);

const version = z
  .string()
  .regex(/^\d{1,9}(?:\.\d{1,9}){0,5}$/, 'is numbers with dots')
  .nullable()
  .default(null);

const patchLevel = (what: string) =>
  optionalFloor(200_000, 99_999_999, `Oldest ${what}, as YYYYMM or YYYYMMDD.`);

const hex = (words: string) =>
  z
    .string()
    .regex(/^(?:[0-9a-f]{2}){1,64}$/, words)
    .meta({ form: 'hexadecimal' });

const device = z
  .strictObject({
    from: z.enum(evidenceIdentities).describe('How the evidence names the device.'),
    is: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, 'is id, serialNumber, or a name among identifiers')
      .describe(
        'What of the inventory it must be: id, serialNumber, or one of its identifiers, such as udid.',
      ),
    types: distinct(oid)
      .nullable()
      .default(null)
      .describe(
        'Types of a hardwareModule, or who assigns a permanentIdentifier: within one of these the name is one device. null: any.',
      ),
  })
  .refine(
    ({ from, types }) => from !== 'hardwareModule' || types !== null,
    'a hardwareModule needs types: a serial number is unique within one of them',
  )
  .describe('Evidence is of a device where these are the same text.');

const bySerialNumber = device
  .refine(({ from }) => from !== 'attestationKey', {
    path: ['from'],
    message: 'is of the evidence of TPMs (tpm, idevid): no other has a certificate of a key that attests',
  })
  .default({ from: 'serialNumber', is: 'serialNumber', types: null });

const levels = distinct(z.enum(assuranceLevels))
  .nullable()
  .default(null)
  .describe('How well the hardware must keep the key. null: anything but software.');

const common = {
  roots: distinct(entryName).describe('Names in `attestation.roots`, of this format.'),
  levels,
};

const devicesPerAttestationKey = (standard: number | null, words: string) => ({
  devicesPerAttestationKey: z.int().min(1).max(10_000).nullable().default(standard).describe(words),
});

const ofOneDevice = devicesPerAttestationKey(
  1,
  'How many devices may get certificates by one key that attests: one more waits for an operator (`attestation-shared`). null: any number.',
);

const crls = (what: string) =>
  z
    .array(path)
    .max(64)
    .default([])
    .describe(
      `Files with CRLs of ${what}, in PEM or DER, each signed by a CA among \`certificates\` and \`intermediates\` of the roots of this format. Newer ones are read within a minute.`,
    );

const ofTpmDevice = {
  maximumStatusAge: duration('1h', '366d')
    .nullable()
    .default(null)
    .describe(
      'How old the CRL may be (`attestation.statusLists`) that each certificate below the root must have from its issuer, and which must not have ended. null: none is asked for, and what one that is there lists is refused all the same.',
    ),
  unregisteredManufacturers: z
    .boolean()
    .default(false)
    .describe('Take TPMs of a manufacturer that TCG does not know, such as software ones.'),
  manufacturers: distinct(z.string().regex(/^[0-9A-F]{8}$/, 'is eight hexadecimal digits'))
    .nullable()
    .default(null)
    .describe('Manufacturers by their TCG ids, such as 494E5443. null: all.'),
  minimumVersions: z
    .record(
      z.string().regex(/^[0-9A-F]{8}$/, 'is eight hexadecimal digits'),
      z.string().regex(/^[0-9A-F]{8}$/, 'is eight hexadecimal digits'),
    )
    .default({})
    .describe('By manufacturer, the oldest firmware, as the certificate of its key has it.'),
};

const ofTpm = {
  sha1: z
    .boolean()
    .default(false)
    .describe('Take statements signed with SHA-1, as Windows makes them with old keys.'),
  ...ofTpmDevice,
  authPolicies: z
    .array(hex('is a digest in lower-case hexadecimal'))
    .min(1)
    .nullable()
    .default(null)
    .describe('Policies by one of which alone the key may be used. null: any, or none.'),
};

const android = z.strictObject({
  ...common,
  ...devicesPerAttestationKey(
    null,
    'How many devices may get certificates by one key of the factory, which some 100,000 devices share by design, or of one provisioned remotely. One more waits for an operator (`attestation-shared`). null: any number, of which the log has an event.',
  ),
  device: bySerialNumber,
  maximumStatusAge: duration('1h', '366d')
    .prefault('1d')
    .describe("How old Google's list of revoked certificates may be (`attestation.statusLists`)."),
  verifiedBootStates: distinct(z.enum(verifiedBootStates))
    .default(['verified'])
    .describe(
      'verified: a system of its maker. self-signed: another one, which `verifiedBootKeys` must name.',
    ),
  verifiedBootKeys: z
    .array(hex('is a key in lower-case hexadecimal'))
    .min(1)
    .nullable()
    .default(null)
    .describe('Keys of systems that are trusted. null: those of makers.'),
  dangerouslyAllowUnlocked: z
    .boolean()
    .default(false)
    .describe('Take devices whose bootloader is unlocked: whoever holds one can install another system.'),
  minimumOsPatchLevel: patchLevel('patch of the system'),
  minimumVendorPatchLevel: patchLevel('patch of the vendor'),
  minimumBootPatchLevel: patchLevel('patch of the boot image'),
  minimumAttestationVersion: optionalFloor(1, 10_000, 'Oldest version of the attestation.'),
  requireRemoteProvisioning: z
    .boolean()
    .default(false)
    .describe(
      'Refuse attestation keys of the factory, which many devices share, and of which some have leaked.',
    ),
  purposes: distinct(z.enum(keyPurposes)).default(['sign']).describe('What the key must be for.'),
  requireTagOrder: z.boolean().default(false).describe('Refuse what does not keep to the order of DER.'),
});

const apple = z.strictObject({
  ...common,
  device: bySerialNumber,
  minimumOsVersion: version.describe('Oldest version of the system.'),
  minimumSepOsVersion: version.describe('Oldest version of the system on the Secure Enclave.'),
  requireSystemIntegrityProtection: z.boolean().default(false).describe('Of a Mac; other devices have none.'),
  requireFullSecurity: z.boolean().default(false).describe('Of a Mac: Full Security at startup.'),
  forbidThirdPartyKernelExtensions: z.boolean().default(false).describe('Of a Mac.'),
});

const step = z.strictObject({
  ...common,
  ...ofOneDevice,
  device: bySerialNumber,
  minimumFirmware: version.describe(
    'Oldest firmware of a YubiKey. Below 5.7 an EC key can be taken out of one that somebody has in hand (YSA-2024-03).',
  ),
  pinPolicies: distinct(z.enum(pinPolicies))
    .nullable()
    .default(null)
    .describe('When the key needs the PIN. null: any.'),
  touchPolicies: distinct(z.enum(touchPolicies))
    .nullable()
    .default(null)
    .describe('When the key needs a touch. null: any.'),
  formFactors: distinct(z.enum(formFactors))
    .nullable()
    .default(null)
    .describe('Kinds of YubiKey. null: any.'),
});

const external = z.strictObject({
  verifiers: distinct(entryName).describe('Names in `attestation.verifiers`.'),
  levels,
  device: bySerialNumber,
});

/** What evidence counts for devices of a class, by its format. Of another format none does: a device cannot choose a weaker one. */
export const classEvidence = z.strictObject({
  tpm: z
    .strictObject({
      ...common,
      ...ofOneDevice,
      device: device.default({ from: 'permanentIdentifier', is: 'id', types: null }),
      ...ofTpm,
    })
    .optional()
    .describe('Of a TPM 2.0, by an attestation key that an attestation CA has certified.')
    .meta({ otherwise: 'none' }),
  idevid: z
    .strictObject({ ...common, ...ofOneDevice, device, ...ofTpm })
    .optional()
    .describe(
      'Of a TPM 2.0, by an attestation key that the maker of the device has certified (IEEE 802.1AR).',
    )
    .meta({ otherwise: 'none' }),
  apple: apple.optional().describe('Managed Device Attestation of Apple.').meta({ otherwise: 'none' }),
  'android-key': android.optional().describe('Key attestation of Android.').meta({ otherwise: 'none' }),
  step: step
    .optional()
    .describe('Of the PIV application of a YubiKey, as step has it.')
    .meta({ otherwise: 'none' }),
  endorsement: z
    .strictObject({ ...common, ...ofOneDevice, ...ofTpmDevice })
    .optional()
    .describe(
      'Of an endorsement key, for a template with `authentication: [endorsement]`. The device is the one whose identifier ekSha256 is the SHA-256 of that key (SubjectPublicKeyInfo).',
    )
    .meta({ otherwise: 'none' }),
  external: external
    .optional()
    .describe(
      'Of any other format, where a verifier outside reads it: Samsung Knox, Verified Access of ChromeOS.',
    )
    .meta({ otherwise: 'none' }),
});

const roots = z
  .strictObject({
    format: z
      .enum(anchoredFormats)
      .describe(
        'Of evidence that these vouch for, and of no other. tpm: CAs of attestation keys. idevid: of the keys that makers put into devices. apple, android-key: of the maker. step: of YubiKeys. endorsement: of makers of TPMs, for their endorsement keys.',
      ),
    certificates: z.array(path).min(1).max(64).describe('PEM files of the roots.'),
    intermediates: z
      .array(path)
      .max(64)
      .default([])
      .describe('PEM files of CAs below them, for devices that do not send theirs.'),
    fingerprints: distinct(z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 digits of 0-9 and a-f'))
      .optional()
      .describe(
        'SHA-256 of each root, as somebody compared it with what its owner says by another way: the files may hold no others. A root that no vendor publishes is a finding without it.',
      )
      .meta({ otherwise: 'whatever the files hold' }),
    level: z
      .enum(assuranceLevels)
      .optional()
      .describe('What hardware they stand for, where the evidence does not say it.')
      .meta({ otherwise: 'the evidence says it' }),
  })
  .refine(({ format, level }) => level !== undefined || !['tpm', 'idevid', 'endorsement'].includes(format), {
    path: ['level'],
    message: 'is needed: evidence of a TPM does not say what kind of TPM it is of',
  });

/** Whom evidence is believed. */
export const attestation = z.strictObject({
  roots: z
    .record(entryName, roots)
    .default({})
    .describe(
      'Sets of root certificates, each of one format; classes name them. `sallyport roots import` writes the files.',
    ),
  statusLists: z
    .strictObject({
      'android-key': path
        .optional()
        .describe(
          'What https://android.googleapis.com/attestation/status says, as a file; its age is that of the file. A newer one is read within a minute.',
        )
        .meta({ otherwise: 'none' }),
      tpm: crls('attestation CAs'),
      idevid: crls('makers of devices'),
      endorsement: crls('makers of TPMs'),
    })
    .prefault({})
    .describe('Lists of revoked certificates, by format.'),
  verifiers: z
    .record(entryName, verifier)
    .default({})
    .describe('Who reads evidence outside that is not read here; classes name them.'),
});
