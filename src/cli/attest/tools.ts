import { spawn } from 'node:child_process';
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
  /** No tool is begun any more, but for those that `conclude` runs. */
  readonly interruption: AbortSignal;

  private constructor(folder: string, environment: Environment, interruption: AbortSignal) {
    this.#folder = folder;
    this.#environment = environment;
    this.interruption = interruption;
  }

  /** Their folder is there as long as the work takes. */
  static async using<Result>(
    environment: Environment,
    interruption: AbortSignal,
    work: (tools: TpmTools) => Promise<Result>,
  ): Promise<Result> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-tpm-'));
    try {
      const tools = new TpmTools(folder, environment, interruption);
      await tools.#requireTpm();
      return await work(tools);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #requireTpm(): Promise<void> {
    try {
      await this.run('getcap', 'properties-fixed');
    } catch (cause) {
      if (!(cause instanceof ToolFailure)) throw cause;
      throw new SallyportError(
        'unsupported',
        `no TPM 2.0 answers (${cause.reason}); look whether /dev/tpmrm0 is there and may be read, or set TPM2TOOLS_TCTI`,
        { cause },
      );
    }
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

  /** What it prints. Throws ToolFailure, and the reason of `interruption`. */
  async run(...words: readonly string[]): Promise<string> {
    this.interruption.throwIfAborted();
    return this.conclude(...words);
  }

  /** The same where the work is interrupted too: what gives back what it has taken of the TPM, or must be known to be taken. */
  async conclude(...words: readonly string[]): Promise<string> {
    return (await this.#run(words, new Uint8Array())).toString();
  }

  /** A command as the TPM has it; what it answers, its header too. */
  async send(command: Uint8Array): Promise<Buffer> {
    this.interruption.throwIfAborted();
    return this.#run(['send'], command);
  }

  /** Without a resource manager what a tool has loaded stays, and a TPM has room for three. */
  async flush(): Promise<void> {
    await this.conclude('flushcontext', '-t');
  }

  #run(words: readonly string[], input: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const child = spawn('tpm2', words, {
        cwd: this.#folder,
        env: this.#environment,
        timeout: patienceMilliseconds,
        // A terminal interrupts whatever is in its session, and a tool that ends halfway does not say at which handle it keeps a key.
        detached: true,
      });
      const [said, complained]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', (part: Buffer) => said.push(part));
      child.stderr.on('data', (part: Buffer) => complained.push(part));
      child.once('error', (cause) =>
        reject(
          new SallyportError(
            'unsupported',
            'tpm2 is not on the PATH; install tpm2-tools 5 (Debian: tpm2-tools)',
            { cause },
          ),
        ),
      );
      child.once('close', (code) => {
        if (code === 0) resolve(Buffer.concat(said));
        else reject(new ToolFailure(words[0]!, Buffer.concat(complained).toString()));
      });
      // A tool that fails at once does not read it.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
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
