import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseCertificate } from '#x509';
import { AcmeClient } from './acme-client.ts';
import { attestingAuthority, withDeviceAttest, type Yaml } from './attesting-device.ts';
import type { Cleanup } from './authority.ts';
import { moduleType } from './played-hardware.ts';
import { attestationKeyOf } from './played-phone.ts';
import { TestCa } from './pki.ts';

/** Whom the authority believes. `suspended`: the CA of a phone's attestation key, which Google has suspended. */
export type Vendors = Readonly<Record<'google' | 'apple' | 'yubico' | 'maker' | 'suspended', TestCa>>;

/**
 * An authority whose class `attested-laptop` believes each of four vendors for its own format, with values that the others do not ask for. By template `device` it speaks EST, by
 * `hardware` ACME.
 */
export async function vendorAuthority(cleanup: Cleanup) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-vendors-'));
  cleanup.after(() => rm(folder, { recursive: true, force: true }));
  const google = TestCa.root('Google');
  const vendors: Vendors = {
    google,
    apple: TestCa.root('Apple'),
    yubico: TestCa.root('Yubico'),
    maker: TestCa.root('Maker'),
    suspended: attestationKeyOf(google),
  };
  for (const [name, { pem }] of Object.entries(vendors)) {
    await writeFile(path.join(folder, `${name}.pem`), pem);
  }
  const statusList = new GoogleStatusList(path.join(folder, 'status.json'));
  await statusList.says(vendors.suspended, 'SUSPENDED');
  const authority = await attestingAuthority(cleanup, {
    edit: (settings) =>
      believingVendors(withDeviceAttest(settings, { externalAccountKey: 'optional' }), folder),
  });
  const acmeClient = async () => {
    const directory = `${new URL(authority.est).origin}/acme/hardware/directory`;
    const client = await AcmeClient.at(directory, authority.trustPem);
    cleanup.after(() => client.close());
    await client.register(null);
    return client;
  };
  return { ...authority, vendors, statusList, acmeClient };
}

/** https://android.googleapis.com/attestation/status, as an operator keeps it in a file. */
class GoogleStatusList {
  readonly file: string;
  readonly #entries: Record<string, { readonly status: string }> = {};

  constructor(file: string) {
    this.file = file;
  }

  /** Of a CA's certificate, by its serial number, from now on. */
  async says({ certificate }: TestCa, status: 'REVOKED' | 'SUSPENDED'): Promise<void> {
    this.#entries[parseCertificate(certificate).serialNumber] = { status };
    await writeFile(this.file, JSON.stringify({ entries: this.#entries }));
  }
}

function believingVendors(settings: Yaml, folder: string): Yaml {
  const file = (name: string) => path.join(folder, name);
  const { roots } = settings['attestation']!;
  settings['attestation'] = {
    roots: {
      ...roots,
      google: { format: 'android-key', certificates: [file('google.pem')] },
      apple: { format: 'apple', certificates: [file('apple.pem')] },
      yubico: { format: 'step', certificates: [file('yubico.pem')] },
      maker: { format: 'idevid', certificates: [file('maker.pem')], level: 'discrete-tpm' },
    },
    statusLists: { 'android-key': file('status.json') },
  };
  const laptop = settings['deviceClasses']!['attested-laptop']! as { evidence?: object };
  laptop.evidence = {
    ...laptop.evidence,
    'android-key': { roots: ['google'], minimumOsPatchLevel: 202_608 },
    apple: { roots: ['apple'], minimumOsVersion: '26.1', requireSystemIntegrityProtection: true },
    step: { roots: ['yubico'], minimumFirmware: '5.7.0', touchPolicies: ['always', 'cached'] },
    idevid: {
      roots: ['maker'],
      device: { from: 'hardwareModule', is: 'serialNumber', types: [moduleType] },
      minimumVersions: { '53544D20': '00010203' },
    },
  };
  return settings;
}
