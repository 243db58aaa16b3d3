import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parseCertificate } from '#x509';
import type { AcmeAnswer, Json } from '../harness/acme-client.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeCsr, makeKey } from '../harness/csr.ts';
import { assertNotAccepted, attestBy, leafOfOrder, notForThis, ordered } from '../harness/device-order.ts';
import { entriesOf } from '../harness/entries.ts';
import { assertRefused } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { type Held, hardwareOfMaker, moduleType, type PlayedHardware } from '../harness/played-hardware.ts';
import { mac } from '../harness/played-mac.ts';
import { phone } from '../harness/played-phone.ts';
import { yubiKey } from '../harness/played-yubikey.ts';
import { TestDevice } from '../harness/test-device.ts';
import { vendorAuthority, type Vendors } from '../harness/vendor-authority.ts';

type Make = (vendors: Vendors, serialNumber: string) => PlayedHardware;
type Identifier = { readonly type: string; readonly value: string };

/** `faults`: what the class does not take of it, and the words of the log. */
interface Vendor {
  readonly format: string;
  readonly make: Make;
  readonly identifier?: (serialNumber: string) => Identifier;
  readonly faults: readonly (readonly [what: string, make: Make, words: RegExp])[];
}

const vendors: readonly Vendor[] = [
  {
    format: 'android-key',
    make: ({ google }, serial) => phone(google, serial),
    faults: [
      [
        'of a system that is older than the class asks',
        ({ google }, serial) => phone(google, serial, { osPatchLevel: 202_607 }),
        /^android-os-patch: patch level 202607 is below 202608$/,
      ],
      [
        'by an attestation key that Google has suspended',
        ({ google, suspended }, serial) => phone(google, serial, { attestation: suspended }),
        /^revocation: certificate [0-9a-f]+ is SUSPENDED$/,
      ],
    ],
  },
  {
    format: 'apple',
    make: ({ apple }, serial) => mac(apple, serial),
    faults: [
      [
        'of a system that is older than the class asks',
        ({ apple }, serial) => mac(apple, serial, { osVersion: '26.0.1' }),
        /^apple-os-version: OS version 26\.0\.1 is below 26\.1$/,
      ],
      [
        'of a Mac without System Integrity Protection',
        ({ apple }, serial) => mac(apple, serial, { systemIntegrityProtection: 'disabled' }),
        /^apple-system-integrity-protection: System Integrity Protection is disabled$/,
      ],
    ],
  },
  {
    format: 'step',
    make: ({ yubico }, serial) => yubiKey(yubico, serial),
    faults: [
      [
        'of firmware that lets keys be taken out',
        ({ yubico }, serial) => yubiKey(yubico, serial, { firmware: [5, 6, 4] }),
        /^step-firmware: firmware 5\.6\.4 is below 5\.7\.0$/,
      ],
      [
        'of a key that needs no touch',
        ({ yubico }, serial) => yubiKey(yubico, serial, { touchPolicy: 'never' }),
        /^step-touch-policy: the touch policy of the key is never$/,
      ],
    ],
  },
  {
    format: 'idevid',
    make: ({ maker }, serial) => hardwareOfMaker(maker, serial),
    identifier: (serial) => ({ type: 'hardware-module', value: `${serial}/${moduleType}` }),
    faults: [
      [
        'of a TPM that is older than the class asks',
        ({ maker }, serial) => hardwareOfMaker(maker, serial, { firmware: '00010202' }),
        /^tpm-version-floor: version 00010202, not 00010203 or later$/,
      ],
    ],
  },
];

/** Each vendor is believed for its own format, by what an operator asks of that one, and by the nonce as that one holds it. */
describe('evidence of phones, Macs, YubiKeys and devices with an IDevID', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof vendorAuthority>>;
  before(async () => {
    authority = await vendorAuthority(cleanup);
  });

  let devices = 0;
  /** Another one each time. A YubiKey's serial number has digits alone. */
  const settings = () => {
    devices += 1;
    const serialNumber = String(29_177_300 + devices);
    return { id: `device-${devices}`, deviceClass: 'attested-laptop', identifiers: { serialNumber } };
  };

  /** `nonce`: what it holds in place of the one that was given out. `serial`: of what device it is. */
  const enroll = async (make: Make, { nonce, serial }: { nonce?: Uint8Array; serial?: string } = {}) => {
    const { id, ...more } = settings();
    const device = await TestDevice.expected(authority, id, more);
    const given = await device.nonce();
    const key = makeKey();
    const hardware = make(authority.vendors, serial ?? more.identifiers.serialNumber);
    const attributes = [hardware.attribute(nonce ?? given, key)];
    return { key, answer: await device.enroll({ key, csr: csrFor(id, key, { attributes }) }) };
  };
  const assertNotEnrolled = async (
    { answer }: Awaited<ReturnType<typeof enroll>>,
    control: string,
    words: RegExp,
  ) => {
    const entry = await assertRefused(authority, answer, 403, ['attestation', control]);
    assert.match(entry.facts.reasons[control]!, words);
  };

  interface Ordering {
    readonly identifier?: Vendor['identifier'];
    readonly held?: (challenge: Held) => Held;
    readonly serial?: string;
  }
  /** An order of a device of the inventory, and its challenge answered. */
  const order = async (
    make: Make,
    { identifier = (value) => ({ type: 'permanent-identifier', value }), held, serial }: Ordering,
  ) => {
    const { id, ...more } = settings();
    await authority.admin.device(id, more);
    const { serialNumber } = more.identifiers;
    const client = await authority.acmeClient();
    const { type, value } = identifier(serialNumber);
    const hardware = make(authority.vendors, serial ?? serialNumber);
    const placed = await ordered(client, value, type);
    return { client, order: placed, ...(await attestBy(client, placed, hardware, held)) };
  };
  /** The client is told that it is not accepted, and no more; the log says why. */
  const assertNotValid = async ({ answer }: { answer: AcmeAnswer }, words: RegExp, reason = '') => {
    assertNotAccepted(answer, reason);
    const events = (await entriesOf(authority)).filter(({ event }) => event === 'authorization.invalid');
    const { problem } = events.at(-1)!['detail'] as { problem: Json };
    assert.match(String(problem['detail']), words);
  };

  for (const { format, make, identifier, faults } of vendors) {
    describe(format, () => {
      const by = identifier === undefined ? {} : { identifier };

      test('enrolls by EST', async () => {
        const { key, answer } = await enroll(make);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(Buffer.from(parseCertificate(answer.certificates[0]!).spki), Buffer.from(key.spki));
      });

      test('enrolls by ACME', async () => {
        const { client, order: placed, key, answer } = await order(make, by);
        assert.equal(answer.body['status'], 'valid', answer.text);
        const leaf = await leafOfOrder(client, await client.finalize(placed, makeCsr({ key })));
        assert.deepEqual(Buffer.from(leaf.spki), Buffer.from(key.spki));
      });

      for (const [what, faulty, words] of faults) {
        test(what, async () => {
          await assertNotEnrolled(await enroll(faulty), 'attestation-trusted', words);
          await assertNotValid(await order(faulty, by), words);
        });
      }

      test('with a nonce of zeros, or of another device', async () => {
        const { id, ...more } = settings();
        const other = await (await TestDevice.expected(authority, id, more)).nonce();
        for (const nonce of [new Uint8Array(8), new Uint8Array(32), other]) {
          const words = /^it does not hold the nonce that was given out$/;
          await assertNotEnrolled(await enroll(make, { nonce }), 'attestation-fresh', words);
        }
      });

      test('with the token of its challenge where the key authorization belongs, and the other way round', async () => {
        const held = ({ token, keyAuthorization }: Held) => ({
          token: keyAuthorization,
          keyAuthorization: token,
        });
        const words = /^it does not hold the nonce that was given out$/;
        await assertNotValid(await order(make, { ...by, held }), words, notForThis);
      });

      test('of another device of the class', async () => {
        const { id, ...more } = settings();
        await authority.admin.device(id, more);
        const serial = more.identifiers.serialNumber;
        const words = new RegExp(`^it is of ${serial}, and serialNumber of device device-\\d+ is \\d+$`);
        await assertNotEnrolled(await enroll(make, { serial }), 'attestation-device', words);
        await assertNotValid(await order(make, { ...by, serial }), /^the evidence is not of /);
      });
    });
  }

  /** draft-ietf-acme-device-attest section 4: a serial number within a type. */
  describe('in an order of a hardware-module', () => {
    const assertNotModule = async (make: Make, of: (serialNumber: string) => string) => {
      const identifier = (serial: string) => ({ type: 'hardware-module', value: of(serial) });
      await assertNotValid(await order(make, { identifier }), /^the evidence is not of hardware-module /);
    };

    test('of another type, where the same serial number is another device', async () => {
      const make: Make = ({ maker }, serial) => hardwareOfMaker(maker, serial);
      await assertNotModule(make, (serial) => `${serial}/1.3.6.1.4.1.32473.8`);
    });

    test('by another name that its maker has given it', async () => {
      const make: Make = ({ maker }, serial) => hardwareOfMaker(maker, serial, { assetTag: `tag-${serial}` });
      await assertNotModule(make, (serial) => `tag-${serial}/${moduleType}`);
    });

    test('of a vendor that names no modules', async () => {
      const make: Make = ({ yubico }, serial) => yubiKey(yubico, serial);
      await assertNotModule(make, (serial) => `${serial}/${moduleType}`);
    });
  });

  test('the log verifies, and says it all again', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
  });
});
