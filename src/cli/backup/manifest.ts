import {
  canonicalJson,
  type NoteSigner,
  type NoteVerifier,
  openCheckpoint,
  openNote,
  parseVerifierKey,
  signNote,
} from '#audit';
import { sha256Hex } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';

/** What lies beside the file of a backup and says what it is. Nothing in it is secret. */
export interface Manifest {
  readonly format: typeof format;
  /** Of the log. */
  readonly origin: string;
  readonly size: number;
  /** Base64, as checkpoints write it. */
  readonly root: string;
  /** Signed note over exactly these entries. */
  readonly checkpoint: string;
  readonly schemaVersion: number;
  readonly file: { readonly bytes: number; readonly sha256: string };
  /** ISO 8601. */
  readonly time: string;
  /** Version of the program that wrote it. */
  readonly program: string;
}

/**
 * The log's key signs the whole manifest, and with it the file. A checkpoint alone would vouch for the log, and not for devices, operators
 * and secrets beside it.
 */
export interface SealedManifest extends Manifest {
  /** Signed note. */
  readonly seal: string;
}

export const format = 'sallyport-backup/1';

export async function sealManifest(manifest: Manifest, signer: NoteSigner): Promise<SealedManifest> {
  return { ...manifest, seal: await signNote(sealText(manifest), signer) };
}

/**
 * The manifest of the text, if the key of its log signed it. `keyOf` gives the verifier key under the log's name. Throws 'log': it is none, or
 * was changed, or another key signed it.
 */
export function openManifest(
  text: string,
  keyOf: (origin: string) => string,
): { manifest: SealedManifest; verifierKey: string } {
  const manifest = parseManifest(text);
  const verifierKey = keyOf(manifest.origin);
  const verifier = parseVerifierKey(verifierKey);
  const { seal, ...sealed } = manifest;
  verified('the seal of the manifest', () => {
    if (openNote(seal, [verifier]).text !== sealText(sealed)) {
      throw new SallyportError('log', 'it is the seal of something else');
    }
  });
  verified('the checkpoint of the manifest', () => compareCheckpoint(manifest, verifier));
  return { manifest, verifierKey };
}

/** No checkpoint reads like this: its second line is a number. */
function sealText(manifest: Manifest): string {
  return `sallyport backup\n${manifest.origin}\n${sha256Hex(Buffer.from(canonicalJson(manifest)))}\n`;
}

function compareCheckpoint({ checkpoint, size, root }: Manifest, verifier: NoteVerifier): void {
  const signed = openCheckpoint(checkpoint, verifier);
  if (signed.size !== size || Buffer.from(signed.root).toString('base64') !== root) {
    throw new SallyportError('log', `it is of ${signed.size} entries, and the backup has ${size}`);
  }
}

function verified(what: string, check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError('log', `${what} is refused: ${cause.message}`, { cause });
  }
}

function parseManifest(text: string): SealedManifest {
  const value = parseJson(text);
  const file = membersOf(value['file']);
  const manifest: SealedManifest = {
    format,
    origin: textOf(value, 'origin'),
    size: countOf(value, 'size'),
    root: textOf(value, 'root'),
    checkpoint: textOf(value, 'checkpoint'),
    schemaVersion: countOf(value, 'schemaVersion'),
    file: { bytes: countOf(file, 'bytes'), sha256: textOf(file, 'sha256') },
    time: textOf(value, 'time'),
    program: textOf(value, 'program'),
    seal: textOf(value, 'seal'),
  };
  // Nothing beside what is known: what is not sealed is not there.
  const same = value['format'] === format && canonicalJson(manifest) === canonicalJson(value);
  if (!same) throw noManifest();
  return manifest;
}

type Members = Readonly<Record<string, unknown>>;

function parseJson(text: string): Members {
  try {
    return membersOf(JSON.parse(text));
  } catch {
    throw noManifest();
  }
}

function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw noManifest();
  return value as Members;
}

function textOf(members: Members, name: string): string {
  const value = members[name];
  if (typeof value !== 'string') throw noManifest();
  return value;
}

function countOf(members: Members, name: string): number {
  const value = members[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw noManifest();
  return value;
}

function noManifest(): SallyportError {
  return new SallyportError('log', `the manifest is none of a backup (${format}), or was changed`);
}
