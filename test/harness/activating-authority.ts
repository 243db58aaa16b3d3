import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { pemToDer } from '#x509';
import { authorityInProcess, type Cleanup, type TestAuthority } from './authority.ts';
import type { AttestMembers, EndorsedTpm, PlayedKey } from './endorsed-tpm.ts';
import { askHttp, type HttpAnswer } from './http.ts';

type Yaml = Record<string, Record<string, Record<string, unknown>>>;

/** PEM of the makers of endorsement keys, in a file. */
export async function makersFile(cleanup: Cleanup, makers: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-makers-'));
  cleanup.after(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'makers.pem');
  await writeFile(file, makers);
  return file;
}

/** Attestation keys by template `attestation-key`, for classes `attested-laptop` and `virtual`, which takes software TPMs too. */
export function activatingSettings(yaml: string, file: string, level = 'discrete-tpm'): Yaml {
  const settings = parse(yaml) as Yaml;
  settings['attestation'] = {
    roots: {
      makers: { format: 'endorsement', certificates: [file], level, fingerprints: fingerprintsIn(file) },
    },
  };
  settings['templates']!['attestation-key'] = {
    issuer: 'issuing',
    keyAlgorithms: ['ec-p256', 'rsa-2048'],
    extendedKeyUsage: ['tcgAttestationIdentityKey'],
    validity: '7d',
    authentication: ['endorsement'],
  };
  const endorsement = { roots: ['makers'] };
  const classes = settings['deviceClasses']!;
  classes['attested-laptop'] = { attestation: 'required', evidence: { endorsement } };
  classes['virtual'] = {
    attestation: 'none',
    evidence: { endorsement: { ...endorsement, levels: [level], unregisteredManufacturers: true } },
  };
  const { protocols } = settings['listeners']!['enroll']! as { protocols: Record<string, unknown> };
  protocols['attestation'] = { templates: ['attestation-key'] };
  return settings;
}

/** As an operator has compared them: nobody publishes these roots. */
function fingerprintsIn(file: string): string[] {
  return pemToDer(readFileSync(file, 'utf8'), 'CERTIFICATE').map((der) => hash('sha256', der));
}

export async function activatingAuthority(cleanup: Cleanup, makers: string) {
  const file = await makersFile(cleanup, makers);
  return authorityInProcess(cleanup, (yaml) =>
    stringify(activatingSettings(yaml, file), { aliasDuplicateObjects: false }),
  );
}

/** step's client, with a TPM that is played here. */
export class ActivationClient {
  readonly #authority: Pick<TestAuthority, 'est' | 'trustPem'>;
  readonly template: string;
  readonly #from: { readonly localAddress?: string };

  constructor(
    authority: Pick<TestAuthority, 'est' | 'trustPem'>,
    template = 'attestation-key',
    localAddress?: string,
  ) {
    this.#authority = authority;
    this.template = template;
    this.#from = localAddress === undefined ? {} : { localAddress };
  }

  async get(operation: string): Promise<HttpAnswer> {
    return askHttp(this.#addressOf(operation), { tls: { ca: this.#authority.trustPem }, ...this.#from });
  }

  async post(operation: string, message: unknown): Promise<HttpAnswer> {
    return askHttp(this.#addressOf(operation), {
      method: 'POST',
      body: Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)),
      tls: { ca: this.#authority.trustPem },
      ...this.#from,
    });
  }

  async attest(tpm: EndorsedTpm, key: PlayedKey, changed: Partial<AttestMembers> = {}): Promise<HttpAnswer> {
    return this.post('attest', tpm.attest(key, changed));
  }

  async secret(secret: Uint8Array): Promise<HttpAnswer> {
    return this.post('secret', { secret: Buffer.from(secret).toString('base64') });
  }

  #addressOf(operation: string): string {
    const base = this.#authority.est.replace('/.well-known/est', '/attestation');
    return `${base}/${this.template}/${operation}`;
  }
}
