import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { assembleSigned, buildName, type Der, derToPem, encodeCertificationRequestInfo, oids } from '#x509';
import { withDeviceAttest, type Yaml } from './attesting-device.ts';
import {
  anyPorts,
  type Cleanup,
  command,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from './authority.ts';
import { ClientFolder } from './client-files.ts';
import { TestCa } from './pki.ts';
import type { KeyKind, SoftwareTpm, TpmKey } from './software-tpm.ts';
import { type Attesting, attestationBundle, certifyAttestationKey } from './tpm-evidence.ts';

export interface AttestedAuthority extends ServedAuthority {
  readonly attestationCa: TestCa;
}

/** `init`, then `serve`, with a class `attested-laptop` that believes an attestation CA (which speaks of TPMs in software as of firmware), `physical-laptop` that believes it of no TPM in software, and devices of ACME. */
export async function attestedAuthority(cleanup: Cleanup): Promise<AttestedAuthority> {
  const attestationCa = TestCa.root('Attestation CA');
  const files = await initAuthority(cleanup, (yaml) => anyPorts(edited(yaml)));
  await writeFile(path.join(files.directory, 'pki/attestation-ca.pem'), attestationCa.pem);
  const authority = await serveAuthority(files);
  cleanup.after(() => authority.stop());
  return { ...authority, attestationCa };
}

function edited(yaml: string): string {
  const settings = withDeviceAttest(parse(yaml) as Yaml);
  settings['attestation'] = {
    roots: { tpm: { format: 'tpm', certificates: ['pki/attestation-ca.pem'], level: 'firmware-tpm' } },
  };
  // Over TLS, where a secret goes to nobody else.
  const enroll = settings['listeners']!['enroll'] as { protocols: Record<string, unknown> };
  enroll.protocols['scep'] = { templates: ['device'], defaultTemplate: 'device' };
  const classes = settings['deviceClasses']!;
  const ofClass = (tpm: object) => ({
    ...classes['attested-laptop'],
    evidence: { tpm: { roots: ['tpm'], ...tpm } },
  });
  classes['physical-laptop'] = ofClass({});
  classes['attested-laptop'] = ofClass({ unregisteredManufacturers: true });
  return stringify(settings, { aliasDuplicateObjects: false });
}

/** A Linux machine with a TPM, and what `sallyport attest` needs of it. */
export class TpmDevice implements Attesting {
  readonly tpm: SoftwareTpm;
  readonly attestationKey: TpmKey;
  readonly certificates: readonly Der[];
  readonly folder: ClientFolder;

  private constructor({ tpm, attestationKey, certificates }: Attesting, folder: ClientFolder) {
    this.tpm = tpm;
    this.attestationKey = attestationKey;
    this.certificates = certificates;
    this.folder = folder;
  }

  /** `name`: what the attestation CA calls it. */
  static async make(
    cleanup: Cleanup,
    tpm: SoftwareTpm,
    ca: TestCa,
    name: string | null,
    kind: KeyKind = 'ecc',
  ): Promise<TpmDevice> {
    const attestationKey = await tpm.createAttestationKey(kind);
    const certificates = [certifyAttestationKey(ca, attestationKey, name), ca.certificate];
    return TpmDevice.of(cleanup, { tpm, attestationKey, certificates });
  }

  static async of(cleanup: Cleanup, attesting: Attesting): Promise<TpmDevice> {
    const folder = await ClientFolder.make(cleanup);
    const chain = attesting.certificates.map((each) => derToPem(each, 'CERTIFICATE')).join('');
    await writeFile(folder.path('ak.pem'), chain);
    return new TpmDevice(attesting, folder);
  }

  /** With `input` as the secret. */
  async attest(authority: { readonly trust: string }, input: string, ...words: readonly string[]) {
    return this.attestIn({}, authority, input, ...words);
  }

  async attestIn(
    environment: Record<string, string>,
    { trust }: { readonly trust: string },
    input: string,
    ...words: readonly string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const key = words.includes('--attestation-key') ? [] : ['--attestation-key', this.attestationKey.handle];
    const { stdout, ...result } = await this.folder.runWith(
      { environment: { ...this.tpm.environment, ...environment }, input: Buffer.from(input) },
      command,
      'attest',
      '--trust',
      trust,
      '--attestation-certificate',
      'ak.pem',
      ...key,
      ...words,
    );
    return { ...result, stdout: stdout.toString() };
  }

  /** PKCS #10 as `sallyport attest` makes it; `attested`: the key of the evidence, where it is another. */
  async request(id: string, key: TpmKey, nonce: Uint8Array, attested = key): Promise<Buffer> {
    const bundle = await attestationBundle(this, attested, nonce);
    const info = encodeCertificationRequestInfo({
      subject: buildName([{ type: 'commonName', value: id }]),
      spki: key.spki,
      attributes: [{ oid: oids.attestation, values: [bundle] }],
    });
    return Buffer.from(assembleSigned(info, 'ec-p256', await this.tpm.sign(key, info)));
  }
}
