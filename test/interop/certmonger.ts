import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { delimiter } from 'node:path';
import type { TestContext } from 'node:test';
import { requireClient } from '../clients.ts';
import { ClientFolder, type ProcessResult } from '../harness/client-files.ts';

const folders = ['cas', 'requests', 'local', 'tmp'] as const;

/** certmonger, its daemon on a bus of its own and all that it keeps in a folder of its own. */
export class Certmonger {
  readonly folder: ClientFolder;
  readonly #getcert: string;
  readonly #environment: Record<string, string>;

  private constructor(folder: ClientFolder, getcert: string, environment: Record<string, string>) {
    this.folder = folder;
    this.#getcert = getcert;
    this.#environment = environment;
  }

  static async start(t: TestContext): Promise<Certmonger | null> {
    const [bus, daemon, getcert] = [
      requireClient(t, 'dbus-daemon'),
      requireClient(t, 'certmonger'),
      requireClient(t, 'getcert'),
    ];
    if (bus === null || daemon === null || getcert === null) return null;
    const folder = await ClientFolder.make(t);
    for (const name of folders) await mkdir(folder.path(name));
    const running = (program: string, words: readonly string[], environment: Record<string, string>) => {
      const child = spawn(program, words, {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, ...environment },
      });
      t.after(async () => {
        if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
      });
      return child;
    };
    await writeFile(folder.path('bus.conf'), busConfiguration(folder.directory));
    const bused = running(bus, ['--config-file', folder.path('bus.conf'), '--nofork', '--print-address'], {});
    const address = await firstLine(bused.stdout);
    const environment = {
      DBUS_SESSION_BUS_ADDRESS: address,
      CERTMONGER_CONFIG_DIR: folder.directory,
      CERTMONGER_CAS_DIR: folder.path('cas'),
      CERTMONGER_REQUESTS_DIR: folder.path('requests'),
      CERTMONGER_LOCAL_CA_DIR: folder.path('local'),
      CERTMONGER_TMPDIR: folder.path('tmp'),
      TMPDIR: folder.path('tmp'),
    };
    running(daemon, ['-s', '-n'], environment).stdout.resume();
    const certmonger = new Certmonger(folder, getcert, environment);
    await until('certmonger answers', async () => (await certmonger.getcert('list-cas')).code === 0);
    return certmonger;
  }

  async getcert(command: string, ...words: string[]): Promise<ProcessResult> {
    return this.folder.runWith(
      { environment: this.#environment },
      this.#getcert,
      command,
      '--session',
      ...words,
    );
  }

  /** By `sh`, where its getcert finds this daemon and not that of the machine. */
  async runScript(script: string): Promise<ProcessResult> {
    const { folder } = this;
    await mkdir(folder.path('bin'), { recursive: true });
    const wrapper = `#!/bin/sh\ncommand=$1\nshift\nexec '${this.#getcert}' "$command" --session "$@"\n`;
    await writeFile(folder.path('bin/getcert'), wrapper);
    await chmod(folder.path('bin/getcert'), 0o755);
    await writeFile(folder.path('enroll.sh'), script);
    const PATH = `${folder.path('bin')}${delimiter}${process.env['PATH'] ?? ''}`;
    return folder.runWith({ environment: { ...this.#environment, PATH } }, 'sh', 'enroll.sh');
  }

  /** Waits until the request has one of these states. Returns what certmonger says of it. */
  async reaches(id: string, ...states: readonly string[]): Promise<string> {
    let said = '';
    await until(`request ${id} is ${states.join(' or ')}`, async () => {
      said = (await this.getcert('list', '-i', id)).stdout.toString();
      return states.some((state) => said.includes(`status: ${state}`));
    }).catch((error: unknown) => {
      throw new Error(said, { cause: error });
    });
    return said;
  }
}

/** A bus that starts nothing by itself: the session's own would start a daemon with the state of whoever runs the tests. */
function busConfiguration(folder: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error('the bus gave no address');
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(30_000);
  while (!deadline.aborted) {
    if (await holds()) return;
    await setTimeout(200);
  }
  throw new Error(`30 s were not enough until ${what}`);
}
