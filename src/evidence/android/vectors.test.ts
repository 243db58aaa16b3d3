import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { findExtension, parseCertificate, pemToDer } from '#x509';
import type { ReferenceValues } from '../appraisal.ts';
import { appraise } from '../appraise.ts';
import { anchorsOf, attestationObject } from '../evidence.fixture.ts';
import { examine } from '../examine.ts';
import { androidValues } from './android.fixture.ts';
import { keyDescriptionOid } from './chain.ts';
import { keyPurposes } from './claims.ts';
import { parseKeyDescription } from './key-description.ts';

/** Chains of real devices with what Google's own verifier reads of them (android/keyattestation), not part of the checkout. */
const vectors = join(import.meta.dirname, '../../../../shared/data/android');
const skip = existsSync(vectors)
  ? false
  : 'the chains of android/keyattestation are not at ../shared/data/android';

/** Remotely provisioned chains live for weeks. */
const times: Readonly<Record<string, number>> = {
  akita: Date.UTC(2024, 8, 20),
  blueline: Date.UTC(2026, 10, 22),
  caiman: Date.UTC(2025, 9, 1),
};

interface Expected {
  readonly attestationVersion: string;
  readonly attestationSecurityLevel: string;
  readonly keyMintVersion: string;
  readonly keyMintSecurityLevel: string;
  readonly attestationChallenge: string;
  readonly hardwareEnforced: Readonly<Record<string, string | undefined>> & {
    readonly purposes: readonly string[];
    readonly rootOfTrust: {
      readonly verifiedBootKey: string;
      readonly deviceLocked: boolean;
      readonly verifiedBootState: string;
      readonly verifiedBootHash: string;
    };
  };
}

const levels: Readonly<Record<string, string>> = { TRUSTED_ENVIRONMENT: 'tee', STRONG_BOX: 'strongbox' };

function expectedOf({ hardwareEnforced: hardware, ...expected }: Expected) {
  const number = (name: string): number | null =>
    hardware[name] === undefined ? null : Number(hardware[name]);
  const text = (name: string): string | null => hardware[`attestationId${name}`] ?? null;
  const { verifiedBootKey, verifiedBootHash, ...root } = hardware.rootOfTrust;
  return {
    attestationVersion: Number(expected.attestationVersion),
    attestationSecurityLevel: levels[expected.attestationSecurityLevel],
    keyMintVersion: Number(expected.keyMintVersion),
    keyMintSecurityLevel: levels[expected.keyMintSecurityLevel],
    attestationChallenge: Uint8Array.fromBase64(expected.attestationChallenge),
    tagsInOrder: true,
    hardwareEnforced: {
      origin: hardware['origin']?.toLowerCase(),
      purposes: hardware.purposes.map((each) => keyPurposes[Number(each)]),
      rootOfTrust: {
        verifiedBootKey: Buffer.from(verifiedBootKey, 'base64').toString('hex'),
        deviceLocked: root.deviceLocked,
        verifiedBootState: root.verifiedBootState.toLowerCase(),
        verifiedBootHash: Buffer.from(verifiedBootHash, 'base64').toString('hex'),
      },
      osVersion: number('osVersion'),
      osPatchLevel: number('osPatchLevel'),
      vendorPatchLevel: number('vendorPatchLevel'),
      bootPatchLevel: number('bootPatchLevel'),
      brand: text('Brand'),
      device: text('Device'),
      product: text('Product'),
      manufacturer: text('Manufacturer'),
      model: text('Model'),
      serial: text('Serial'),
      imei: text('Imei'),
      secondImei: text('SecondImei'),
      meid: text('Meid'),
    },
  };
}

function chainOf(path: string): Uint8Array[] {
  return pemToDer(readFileSync(join(vectors, path), 'utf8'), 'CERTIFICATE');
}

function examined(chain: readonly Uint8Array[], challenge: Uint8Array) {
  const bytes = attestationObject('android-key', { x5c: chain });
  return examine({ envelope: 'attestation-object', bytes }, { toBeSigned: challenge, token: challenge });
}

/** The roots that Google publishes, and nothing asked that a phone of 2018 does not have. */
function googleValues(changed: NonNullable<Parameters<typeof androidValues>[0]> = {}): ReferenceValues {
  const pems = JSON.parse(readFileSync(join(vectors, 'roots.json'), 'utf8')) as string[];
  const roots = pems.flatMap((pem) => pemToDer(pem, 'CERTIFICATE'));
  const values = androidValues({
    minimumOsPatchLevel: 201908,
    minimumVendorPatchLevel: 201809,
    minimumBootPatchLevel: 201908,
    minimumAttestationVersion: 3,
    requireRemoteProvisioning: false,
    ...changed,
  });
  return { ...values, anchors: [anchorsOf('android-key', roots)] };
}

suite('android-key: chains of real devices', { skip }, () => {
  const paths = globSync('*/sdk*/*.pem', { cwd: vectors }).toSorted();

  test('there are twelve', () => assert.equal(paths.length, 12));
  for (const path of paths) {
    const expected = expectedOf(
      JSON.parse(readFileSync(join(vectors, path.replace(/pem$/, 'json')), 'utf8')) as Expected,
    );
    const [device = ''] = path.split('/');
    const time = times[device]!;
    const { rootOfTrust } = expected.hardwareEnforced;
    const level = expected.keyMintSecurityLevel;
    const { statement, fault, ...rest } = examined(chainOf(path), expected.attestationChallenge);

    test(`${path}: KeyDescription is as Google reads it`, () => {
      const target = parseCertificate(chainOf(path)[0]!);
      const description = parseKeyDescription(findExtension(target.extensions, keyDescriptionOid)!);
      assert.deepEqual(description, expected);
    });

    test(`${path}: examined`, () => {
      assert.equal(fault, null);
      assert.equal(statement?.fresh, true);
      const { serial, imei, secondImei, meid, ...enforced } = expected.hardwareEnforced;
      assert.deepEqual(statement.identities, {
        ...(serial === null ? {} : { serialNumber: serial }),
        ...(imei === null ? {} : { imei: [imei, secondImei, meid].filter((each) => each !== null) }),
      });
      const { attestationChallenge: _, hardwareEnforced: __, ...described } = expected;
      const isRemote = device !== 'blueline';
      assert.deepEqual(statement.claims, {
        format: 'android-key',
        ...described,
        ...enforced,
        provisioning: isRemote ? 'remote' : 'factory',
        chainSecurityLevel: isRemote || level === 'strongbox' ? level : null,
      });
    });

    test(`${path}: appraised`, () => {
      const examination = { statement, fault, ...rest };
      const locked = rootOfTrust.deviceLocked;
      assert.deepEqual(
        appraise(examination, googleValues(), null, time).objections.map(({ check }) => check),
        locked ? [] : ['android-boot-state', 'android-unlocked'],
      );
      const values = googleValues({
        verifiedBootStates: ['verified', 'unverified'],
        dangerouslyAllowUnlocked: true,
      });
      const result = { anchors: 'android-key roots', level, objections: [] };
      assert.deepEqual(appraise(examination, values, null, time), result);
    });

    test(`${path}: of another nonce`, () => {
      assert.equal(examined(chainOf(path), Buffer.from('another')).statement?.fresh, false);
    });
  }

  test('remotely provisioned chains end, those of the factory do not', () => {
    for (const path of paths) {
      const { attestationChallenge } = JSON.parse(
        readFileSync(join(vectors, path.replace(/pem$/, 'json')), 'utf8'),
      ) as Expected;
      const examination = examined(chainOf(path), Uint8Array.fromBase64(attestationChallenge));
      const values = googleValues({
        verifiedBootStates: ['verified', 'unverified'],
        dangerouslyAllowUnlocked: true,
      });
      assert.deepEqual(
        appraise(examination, values, null, Date.UTC(2040, 0, 1)).objections.map(({ check }) => check),
        path.startsWith('blueline') ? [] : ['certificate-validity'],
        path,
      );
    }
  });
});

suite("android-key: one of Google's invalid chains", { skip }, () => {
  test('malformed_rot_device_locked.pem: a deviceLocked that is no DER is read as locked, as Google does', () => {
    const chain = chainOf('invalid/malformed_rot_device_locked.pem');
    const target = parseCertificate(chain[0]!);
    const { attestationChallenge, hardwareEnforced } = parseKeyDescription(
      findExtension(target.extensions, keyDescriptionOid)!,
    );
    assert.equal(hardwareEnforced.rootOfTrust?.deviceLocked, true);
    const examination = examined(chain, attestationChallenge);
    const values = googleValues({ minimumVendorPatchLevel: null, minimumBootPatchLevel: null });
    assert.deepEqual(appraise(examination, values, null, Date.UTC(2026, 10, 22)).objections, []);
  });
});
