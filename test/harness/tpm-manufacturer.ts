import { mkdir, writeFile } from 'node:fs/promises';
import { type Der, pemToDer } from '#x509';
import { findProgram } from '../clients.ts';
import type { Cleanup } from './authority.ts';
import { ClientFolder } from './client-files.ts';
import { SoftwareTpm } from './software-tpm.ts';

/** Makes TPMs and certifies their endorsement keys, as manufacturers do. The certificates name no manufacturer that TCG knows. */
export class TpmManufacturer {
  readonly #folder: ClientFolder;
  #made = 0;

  private constructor(folder: ClientFolder) {
    this.#folder = folder;
  }

  static async begin(cleanup: Cleanup): Promise<TpmManufacturer> {
    const folder = await ClientFolder.make(cleanup);
    const ca = folder.path('ca');
    await mkdir(ca);
    await writeFile(
      folder.path('localca.conf'),
      [
        `statedir = ${ca}`,
        `signingkey = ${ca}/signkey.pem`,
        `issuercert = ${ca}/issuercert.pem`,
        `certserial = ${ca}/certserial`,
      ].join('\n'),
    );
    await writeFile(folder.path('localca.options'), '');
    await writeFile(
      folder.path('setup.conf'),
      [
        `create_certs_tool = ${findProgram('swtpm_localca') ?? ''}`,
        `create_certs_tool_config = ${folder.path('localca.conf')}`,
        `create_certs_tool_options = ${folder.path('localca.options')}`,
        'active_pcr_banks = sha256',
      ].join('\n'),
    );
    return new TpmManufacturer(folder);
  }

  /** The CA of the endorsement keys, and its root. There is none before the first TPM. */
  async certificates(): Promise<{ readonly issuer: Der; readonly root: Der }> {
    const read = async (name: string) => pemToDer(await this.#folder.read(name), 'CERTIFICATE')[0]!;
    return {
      issuer: await read('ca/issuercert.pem'),
      root: await read('ca/swtpm-localca-rootca-cert.pem'),
    };
  }

  async make(cleanup: Cleanup): Promise<SoftwareTpm> {
    this.#made += 1;
    const folder = await ClientFolder.make(cleanup);
    await mkdir(folder.path('state'));
    await folder.must(
      'swtpm_setup',
      '--tpm2',
      '--tpmstate',
      folder.path('state'),
      '--config',
      this.#folder.path('setup.conf'),
      '--createek',
      '--create-ek-cert',
      '--write-ek-cert-files',
      folder.directory,
      '--vmid',
      `software-${this.#made}`,
      '--logfile',
      folder.path('setup.log'),
    );
    return SoftwareTpm.start(folder, cleanup);
  }
}
