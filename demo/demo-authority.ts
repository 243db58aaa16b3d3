import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { must, run } from './run.ts';
import { say, shown } from './story.ts';

const program = path.resolve(import.meta.dirname, '../sallyport');

interface Listener {
  readonly name: string;
  readonly url: string | null;
}

/** `sallyport init` and `sallyport serve`, and the command line beside them: what an operator has. */
export class DemoAuthority {
  readonly directory: string;
  readonly configuration: string;
  readonly trust: string;
  /** Where http-01 is looked for. */
  readonly httpPort: number;
  readonly #served: ChildProcess;
  readonly #listeners: readonly Listener[];

  private constructor(
    directory: string,
    served: ChildProcess,
    listeners: readonly Listener[],
    httpPort: number,
  ) {
    this.httpPort = httpPort;
    this.directory = directory;
    this.configuration = path.join(directory, 'sallyport.yaml');
    this.trust = path.join(directory, 'pki/trust.pem');
    this.#served = served;
    this.#listeners = listeners;
  }

  /** `resolver`: the DNS that knows the demo's names, and where they are proven. `attestationCa`: PEM, of who knows the demo's TPMs. */
  static async start(
    directory: string,
    portBase: number,
    { resolver, httpPort, attestationCa }: { resolver: string; httpPort: number; attestationCa: string },
  ): Promise<DemoAuthority> {
    shown('sallyport init --dir authority --yes');
    await must(program, [
      'init',
      '--dir',
      directory,
      '--yes',
      '--name',
      'Demo',
      '--port-base',
      String(portBase),
    ]);
    shown('sallyport serve --config authority/sallyport.yaml');
    const started = performance.now();
    const configuration = path.join(directory, 'sallyport.yaml');
    // Where ACME looks for proofs: the demo has a DNS of its own, and no port 80.
    await appendFile(
      configuration,
      `validation: { resolvers: ["${resolver}"], ports: { http: ${httpPort} } }\n`,
    );
    await writeFile(path.join(directory, 'pki/attestation-ca.pem'), attestationCa);
    await believe(configuration);
    const served = spawn(program, ['serve', '--config', configuration, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ready = await firstLine(served);
    const { listeners } = JSON.parse(ready) as { listeners: Listener[] };
    say(`  ready after ${Math.round(performance.now() - started)} ms`);
    return new DemoAuthority(directory, served, listeners, httpPort);
  }

  get est(): string {
    return `${this.#url('enroll')}/.well-known/est`;
  }

  get scep(): string {
    return `${this.#url('scep')}/scep`;
  }

  get acme(): string {
    return `${this.#url('enroll')}/acme/directory`;
  }

  get publicUrl(): string {
    return this.#url('public');
  }

  /** A command as an operator types it; its words go to the screen. */
  async sallyport(...words: string[]): Promise<void> {
    shown(`sallyport ${words.map((word) => path.basename(word)).join(' ')}`);
    say((await must(program, [...words, '--config', this.configuration])).trimEnd().replaceAll(/^/gm, '  '));
  }

  /** The same with --json, for what the demo has to know. */
  async json(...words: string[]): Promise<unknown> {
    const [value] = await this.jsonLines(...words);
    return value;
  }

  async jsonLines(...words: string[]): Promise<unknown[]> {
    const { stdout, stderr } = await run(program, [...words, '--json', '--config', this.configuration]);
    if (stdout === '') throw new Error(`${words.join(' ')}: ${stderr}`);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  }

  async secret(device: string): Promise<string> {
    shown(`sallyport secret create --device ${device} --template device`);
    const { secret } = (await this.json('secret', 'create', '--device', device, '--template', 'device')) as {
      secret: string;
    };
    say(`  ${secret}`);
    return secret;
  }

  async stop(): Promise<void> {
    if (this.#served.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#served.once('exit', resolve));
    this.#served.kill('SIGTERM');
    await ended;
  }

  #url(name: string): string {
    return this.#listeners.find((listener) => listener.name === name)?.url ?? '';
  }
}

/** What class attested-laptop may prove, and by whom it is believed: a TPM in software is one in a class that says so. */
async function believe(configuration: string): Promise<void> {
  const yaml = await readFile(configuration, 'utf8');
  const evidence =
    '    evidence: { tpm: { roots: [demo], levels: [software], unregisteredManufacturers: true } }\n';
  const roots =
    'attestation:\n  roots: { demo: { format: tpm, certificates: [pki/attestation-ca.pem], level: software } }\n';
  await writeFile(
    configuration,
    `${yaml.replace(/(attested-laptop:\n +attestation: required\n)/, `$1${evidence}`)}${roots}`,
  );
}

async function firstLine(served: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: served.stdout! })) return line;
  throw new Error('the authority did not start');
}
