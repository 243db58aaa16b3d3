import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { type Der, derToPem, type GeneralName, oids } from '#x509';
import {
  eccKey,
  encodeBundle,
  encodeTcgStatement,
  makeParts,
  makeObject,
  permanentIdentifier,
  type Recipe,
  root,
  rsaKey,
  type SoftwareKey,
  tpmName,
} from '../../src/evidence/tpm/statement.fixture.ts';
import { statementTypes } from '../../src/evidence/attestation-bundle.ts';
import { authorityInProcess, type Cleanup } from './authority.ts';
import type { ClientKey } from './csr.ts';

type Yaml = Record<string, Record<string, Record<string, unknown>>>;

/** An authority whose class `attested-laptop` believes the attestation CA of the fixtures. `evidence`: what it asks of them besides. */
export async function attestingAuthority(
  cleanup: Cleanup,
  {
    evidence = {},
    edit = (settings) => settings,
  }: { evidence?: object; edit?: (settings: Yaml) => Yaml } = {},
) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-roots-'));
  cleanup.after(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'attestation-ca.pem');
  await writeFile(file, derToPem(root, 'CERTIFICATE'));
  return authorityInProcess(cleanup, (yaml) => {
    const settings = parse(yaml) as Yaml;
    settings['attestation'] = {
      roots: { tpm: { format: 'tpm', certificates: [file], level: 'discrete-tpm' } },
    };
    Object.assign(settings['deviceClasses']!['attested-laptop']!, {
      evidence: { tpm: { roots: ['tpm'], ...evidence } },
    });
    return stringify(edit(settings), { aliasDuplicateObjects: false });
  });
}

/** A TPM that is played here: by the same octets as a real one sends. */
export class PlayedTpm {
  readonly attestationKey: SoftwareKey = eccKey();
  readonly #names: readonly GeneralName[];

  /** `deviceId`: the device that the attestation CA knows it as. */
  constructor(deviceId: string | null) {
    this.#names = [tpmName(), ...(deviceId === null ? [] : [permanentIdentifier(deviceId)])];
  }

  /** A key of it, for a request of a certificate. */
  key(algorithm: 'ec-p256' | 'rsa-2048' = 'ec-p256'): ClientKey & { readonly tpm: SoftwareKey } {
    const tpm = algorithm === 'ec-p256' ? eccKey() : rsaKey();
    return { algorithm, privateKey: tpm.privateKey, spki: tpm.spki, tpm };
  }

  /** The attribute of a request. */
  attribute(nonce: Uint8Array, key: SoftwareKey, recipe: Partial<Recipe> = {}) {
    return { oid: oids.attestation, values: [this.bundle(nonce, key, recipe)] };
  }

  bundle(nonce: Uint8Array, key: SoftwareKey, recipe: Partial<Recipe> = {}): Der {
    const parts = makeParts({ ...this.#recipe(key, recipe), attest: { extraData: nonce, ...recipe.attest } });
    return encodeBundle([[statementTypes.tpmCertify, encodeTcgStatement(parts)]], parts.x5c);
  }

  /** An attestation object; `digest`: of what is to be signed. */
  object(digest: Uint8Array, key: SoftwareKey, recipe: Partial<Recipe> = {}): Uint8Array {
    return makeObject({ ...this.#recipe(key, recipe), attest: { extraData: digest, ...recipe.attest } });
  }

  #recipe(key: SoftwareKey, recipe: Partial<Recipe>): Partial<Recipe> {
    return {
      attestationKey: this.attestationKey,
      publicArea: key.publicArea(),
      ...recipe,
      certificate: { names: this.#names, ...recipe.certificate },
    };
  }
}
