import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SallyportError } from '#errors';
import { type Der, derToPem } from '#x509';
import { errorCode } from '../files.ts';
import { putFile, readableByOwner } from '../replace-file.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';
import type { OwnAttestationKey } from './attestation-key.ts';

const files = {
  certificate: 'certificate.pem',
  key: 'key.pem',
  request: 'request.der',
  refused: 'refused-key.pem',
  attestation: 'attestation.json',
} as const;

/** An attestation key of ours, and what it was certified with last. */
export interface KeptAttestation extends OwnAttestationKey {
  readonly certificates: readonly Der[];
}

/**
 * A certificate with its key. A request that was not answered yet is kept with its key: it is for this key that the secret was used. What is kept is on disk before
 * anybody hears of it.
 */
export class IdentityFolder {
  readonly folder: string;
  readonly #random: Terminal['random'];

  constructor(folder: string, random: Terminal['random']) {
    this.folder = folder;
    this.#random = random;
  }

  /** As the command line names it. */
  static of(session: Pick<Session, 'path' | 'terminal'>, folder: string): IdentityFolder {
    return new IdentityFolder(session.path(folder), session.terminal.random);
  }

  get paths(): { readonly certificate: string; readonly key: string; readonly request: string } {
    const at = (name: string) => join(this.folder, name);
    return { certificate: at(files.certificate), key: at(files.key), request: at(files.request) };
  }

  /** Throws 'usage' where there is none. */
  async certificate(): Promise<string> {
    return this.#must(files.certificate);
  }

  /** PEM. Throws 'usage' where there is none. */
  async key(): Promise<string> {
    return this.#must(files.key);
  }

  /** A request with the key that it is for. */
  async pending(): Promise<{ readonly request: Der; readonly key: string } | null> {
    const [request, key] = [await this.#read(files.request), await this.#read(files.key)];
    return request === null || key === null
      ? null
      : { request: new Uint8Array(request), key: key.toString() };
  }

  /** Throws 'conflict' where there is a certificate, or a key of which no request waits: somebody may use them. */
  async requireFree(): Promise<void> {
    const has = async (name: string) => (await this.#read(name)) !== null;
    if (await has(files.certificate)) throw this.#taken('a certificate');
    if ((await has(files.key)) && !(await has(files.request))) throw this.#taken('a key');
  }

  #taken(what: string): SallyportError {
    return new SallyportError(
      'conflict',
      `${this.folder} has ${what} already; name another folder with --out, and this one with --renew where it is to be renewed`,
    );
  }

  /** Throws 'unsupported' where it is not as we write it. */
  async attestation(): Promise<KeptAttestation | null> {
    const bytes = await this.#read(files.attestation);
    return bytes === null ? null : parseAttestation(bytes.toString(), join(this.folder, files.attestation));
  }

  async keepAttestation(kept: KeptAttestation): Promise<void> {
    await this.#make();
    await this.#write(files.attestation, encodeAttestation(kept));
  }

  /** The attestation key stays, and has to be certified again. */
  async forgetCertificates(): Promise<void> {
    const kept = await this.attestation();
    if (kept !== null) await this.keepAttestation({ ...kept, certificates: [] });
  }

  async begin(request: Der, key: string): Promise<void> {
    await this.#make();
    // A key without a request is somebody's.
    await this.#write(files.request, request);
    await this.#write(files.key, key);
  }

  async #make(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new SallyportError('usage', `${this.folder} cannot be written (${errorCode(cause)})`, { cause });
    }
  }

  async finish(certificates: readonly Der[]): Promise<void> {
    await this.#write(files.certificate, certificates.map((each) => derToPem(each, 'CERTIFICATE')).join(''));
    for (const name of [files.request, files.refused]) await rm(join(this.folder, name), { force: true });
  }

  /** What was refused will not be taken another time. Its key may be, and is kept for the next request unless it is of no use either. */
  async discard(keepsKey: boolean): Promise<void> {
    const at = (name: string) => join(this.folder, name);
    if (keepsKey) await rename(at(files.key), at(files.refused));
    // A key without a request is somebody's.
    const gone = keepsKey ? [files.request] : [files.refused, files.key, files.request];
    for (const name of gone) await rm(at(name), { force: true });
  }

  /** PEM of the key whose request was refused last; null: there is none. */
  async refusedKey(): Promise<string | null> {
    return (await this.#read(files.refused))?.toString() ?? null;
  }

  async #must(name: string): Promise<string> {
    const bytes = await this.#read(name);
    if (bytes === null) throw new SallyportError('usage', `${join(this.folder, name)} is not there`);
    return bytes.toString();
  }

  async #read(name: string): Promise<Buffer | null> {
    const file = join(this.folder, name);
    try {
      return await readFile(file);
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return null;
      throw new SallyportError('usage', `${file} cannot be read (${errorCode(cause)})`, { cause });
    }
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    await putFile(join(this.folder, name), bytes, {
      replace: true,
      mode: readableByOwner,
      random: this.#random,
    });
  }
}

function encodeAttestation({ blobs, creation, certificates }: KeptAttestation): string {
  const text = {
    publicArea: blobs.publicArea.toBase64(),
    privateArea: blobs.privateArea.toBase64(),
    creationData: creation.data.toBase64(),
    creationAttest: creation.attest.toBase64(),
    creationSignature: creation.signature.toBase64(),
    certificates: certificates.map((each) => each.toBase64()),
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}

function parseAttestation(text: string, file: string): KeptAttestation {
  try {
    const members = JSON.parse(text) as Record<string, string> & { readonly certificates: string[] };
    const bytes = (name: string) => Uint8Array.fromBase64(members[name]!);
    return {
      blobs: { publicArea: bytes('publicArea'), privateArea: bytes('privateArea') },
      creation: {
        data: bytes('creationData'),
        attest: bytes('creationAttest'),
        signature: bytes('creationSignature'),
      },
      certificates: members.certificates.map((each) => Uint8Array.fromBase64(each)),
    };
  } catch (cause) {
    throw new SallyportError('unsupported', `${file} is not as it was written; take it away`, { cause });
  }
}
