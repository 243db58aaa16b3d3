import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Der, derToPem, pemToDer } from '#x509';

/** For a test's `skip`: false where the program is there, else the reason. */
export function missing(program: 'openssl' | 'certtool' | 'pki'): string | false {
  const argument = program === 'openssl' ? 'version' : '--version';
  return spawnSync(program, [argument]).error === undefined ? false : `${program} is not installed`;
}

/** A folder of its own for one test file, gone after its tests. */
export class Workbench {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-x509-'));

  constructor() {
    after(() => rmSync(this.folder, { recursive: true }));
  }

  /** Runs in the folder; what was printed on stdout. Throws, with stderr, on another exit code than 0. */
  run(program: string, ...args: readonly string[]): string {
    return execFileSync(program, args, {
      cwd: this.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  writePem(name: string, der: Der, label: string): string {
    return this.write(name, derToPem(der, label));
  }

  readPem(name: string, label: string): Der {
    const [first] = pemToDer(readFileSync(join(this.folder, name), 'utf8'), label);
    if (first === undefined) throw new Error(`${name} has no ${label}`);
    return first;
  }
}
