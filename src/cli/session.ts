import { dirname, resolve } from 'node:path';
import type { ActInput, ActName, ActResult } from '#admin';
import type { Configuration, Environment } from '#config';
import type { AdminClient } from './admin-client.ts';
import { choosePaint, type Paint } from './render/paint.ts';
import { printableJson } from './render/printable.ts';
import type { Terminal } from './terminal.ts';

export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly operatorToken?: string;
}

/** One run of one command. */
export class Session {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly paint: Paint;
  /** Absolute. */
  readonly configurationFile: string;
  readonly #tokenFile: string | undefined;

  constructor(terminal: Terminal, options: GlobalOptions) {
    this.terminal = terminal;
    this.json = options.json === true;
    this.paint = choosePaint(terminal.outIsTerminal && !this.json, terminal.environment['NO_COLOR']);
    const file = options.config ?? terminal.environment['SALLYPORT_CONFIG'] ?? 'sallyport.yaml';
    this.configurationFile = resolve(terminal.folder, file);
    this.#tokenFile = options.operatorToken;
  }

  get now(): number {
    return this.terminal.now();
  }

  path(file: string): string {
    return resolve(this.terminal.folder, file);
  }

  /** With --json the value, one line; else the words. */
  print(value: unknown, words: () => string): void {
    this.terminal.out(this.json ? `${printableJson(value)}\n` : words());
  }

  /** For people only: with --json standard output is JSON and nothing else. */
  note(words: string): void {
    if (!this.json) this.terminal.err(`${words}\n`);
  }

  /** Given an environment, the secrets it refers to are looked at too. */
  async configuration(environment?: Environment): Promise<Configuration> {
    const { loadConfiguration } = await import('#config');
    return loadConfiguration(this.configurationFile, environment);
  }

  /** Asks the running authority. */
  async perform<Name extends ActName>(name: Name, input: ActInput<Name>): Promise<ActResult<Name>> {
    return (await this.adminClient()).perform(name, input);
  }

  /** The running authority, for who asks more than once. */
  async adminClient(): Promise<AdminClient> {
    const { AdminClient } = await import('./admin-client.ts');
    const { readOperatorToken } = await import('./operator-token.ts');
    const configuration = await this.configuration();
    const token = await readOperatorToken({
      named: this.#tokenFile,
      environment: this.terminal.environment,
      folder: this.terminal.folder,
      configurationFolder: dirname(this.configurationFile),
    });
    return new AdminClient({ socket: adminSocketOf(configuration), token });
  }
}

function adminSocketOf({ listeners }: Configuration): string {
  // The configuration's schema wants exactly one.
  return listeners.find((listener) => listener.class === 'admin')!.socket;
}
