import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '#config';
import { SallyportError } from '#errors';

const patienceMilliseconds = 120_000;

/** tpm2-tools, with the files that they hand each other. They find the TPM as they always do: by TPM2TOOLS_TCTI, else /dev/tpmrm0. */
export class TpmTools {
  readonly #folder: string;
  readonly #environment: Environment;

  private constructor(folder: string, environment: Environment) {
    this.#folder = folder;
    this.#environment = environment;
  }

  static async open(environment: Environment): Promise<TpmTools> {
    const tools = new TpmTools(await mkdtemp(join(tmpdir(), 'sallyport-tpm-')), environment);
    try {
      await tools.run('getcap', 'properties-fixed');
      return tools;
    } catch (cause) {
      await tools.close();
      if (!(cause instanceof ToolFailure)) throw cause;
      throw new SallyportError(
        'unsupported',
        `no TPM 2.0 answers (${cause.reason}); look whether /dev/tpmrm0 is there and may be read, or set TPM2TOOLS_TCTI`,
        { cause },
      );
    }
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  async read(name: string): Promise<Uint8Array> {
    return new Uint8Array(await readFile(this.path(name)));
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await writeFile(this.path(name), bytes);
  }

  /** What it prints. Throws ToolFailure. */
  async run(...words: readonly string[]): Promise<string> {
    return (await this.#run(words, new Uint8Array())).toString();
  }

  /** A command as the TPM has it; what it answers, its header too. */
  async send(command: Uint8Array): Promise<Buffer> {
    return this.#run(['send'], command);
  }

  /** Without a resource manager what a tool has loaded stays, and a TPM has room for three. */
  async flush(): Promise<void> {
    await this.run('flushcontext', '-t');
  }

  #run(words: readonly string[], input: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const options = {
        cwd: this.#folder,
        env: this.#environment,
        encoding: 'buffer',
        timeout: patienceMilliseconds,
      } as const;
      const child = execFile('tpm2', words, options, (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        if (error.code === 'ENOENT') {
          return reject(
            new SallyportError(
              'unsupported',
              'tpm2 is not on the PATH; install tpm2-tools 5 (Debian: tpm2-tools)',
            ),
          );
        }
        reject(new ToolFailure(words[0]!, stderr.toString()));
      });
      // A tool that fails at once does not read it.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }
}

/** A tool that ended with an error. */
export class ToolFailure extends SallyportError {
  /** Its last word. */
  readonly reason: string;

  constructor(tool: string, said: string) {
    const lines = said.split('\n').filter((line) => line.startsWith('ERROR'));
    const named = lines.findLast((line) => !/Unable to run/.test(line)) ?? said.trim();
    const reason = named.replace(/^ERROR: ?/, '');
    super('key', `tpm2 ${tool} failed: ${reason}`);
    this.reason = reason;
  }
}
