import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';

/** Every way in which bytes may have been written down: as they are, in hex, in base64 at any offset. */
function formsOf(bytes: Uint8Array): Buffer[] {
  const forms = [Buffer.from(bytes), Buffer.from(bytes.toHex()), Buffer.from(bytes.toHex().toUpperCase())];
  for (const offset of [0, 1, 2]) {
    const text = Buffer.from(bytes.subarray(offset)).toString('base64');
    // What the last characters say depends on what follows.
    const whole = text.slice(0, Math.floor((bytes.length - offset) / 3) * 4);
    forms.push(Buffer.from(whole), Buffer.from(whole.replaceAll('+', '-').replaceAll('/', '_')));
  }
  return forms;
}

interface Haystack {
  readonly where: string;
  readonly bytes: Buffer;
}

/** A running authority puts files in place by renaming them: one that went between being listed and being read is under another name, so all is read again. */
async function everyFile(directory: string, tries = 20): Promise<Haystack[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((file) => path.join(file.parentPath, file.name));
    return await Promise.all(
      files.map(async (file) => ({ where: path.relative(directory, file), bytes: await readFile(file) })),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === 0) throw error;
    return everyFile(directory, tries - 1);
  }
}

/** That none of these secrets is in any file of the folder, nor in what was reported. Finds its own control, which must be there. */
export async function assertNowhere(
  secrets: readonly Uint8Array[],
  {
    directory,
    faults,
    control,
  }: { directory: string; faults: readonly unknown[]; control: Uint8Array | string },
): Promise<void> {
  const haystacks = await everyFile(directory);
  haystacks.push({ where: 'fault reports', bytes: Buffer.from(inspect(faults, { depth: null })) });
  assert.ok(
    haystacks.some(({ bytes }) => bytes.includes(Buffer.from(control))),
    'the search does not even find what was recorded',
  );
  for (const secret of secrets) {
    assert.ok(secret.length >= 12, 'too short to be looked for');
    for (const form of formsOf(secret)) {
      for (const { where, bytes } of haystacks) assert.ok(!bytes.includes(form), `a secret is in ${where}`);
    }
  }
}
