import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Cleanup } from './authority.ts';

export interface ProcessResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A folder of a client of its own, and processes in it. */
export class ClientFolder {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(cleanup: Cleanup): Promise<ClientFolder> {
    const directory = await mkdtemp(path.join(tmpdir(), 'sallyport-client-'));
    cleanup.after(() => rm(directory, { recursive: true, force: true }));
    return new ClientFolder(directory);
  }

  path(name: string): string {
    return path.join(this.directory, name);
  }

  async read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8');
  }

  async run(program: string, ...words: string[]): Promise<ProcessResult> {
    return this.runWith({}, program, ...words);
  }

  async runWith(
    options: { readonly environment?: Record<string, string>; readonly input?: Buffer },
    program: string,
    ...words: string[]
  ): Promise<ProcessResult> {
    return new Promise((resolve) => {
      const child = execFile(
        program,
        words,
        {
          cwd: this.directory,
          timeout: 60_000,
          encoding: 'buffer',
          env: { ...process.env, ...options.environment },
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
          resolve({ code, stdout, stderr: stderr.toString() });
        },
      );
      // A client that does not read its input may have ended already.
      child.stdin?.on('error', () => {});
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Runs it and throws with its words when it fails. */
  async must(program: string, ...words: string[]): Promise<ProcessResult> {
    const result = await this.run(program, ...words);
    if (result.code !== 0) {
      throw new Error(
        `${program} ${words.join(' ')}: ${result.code}\n${result.stderr}\n${result.stdout.toString()}`,
      );
    }
    return result;
  }
}
