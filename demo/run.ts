import { execFile } from 'node:child_process';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process, from start to end; a minute at most. */
export function run(
  program: string,
  words: readonly string[],
  directory?: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      program,
      words,
      { cwd: directory, env: environment, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** The same, where failing is the end of the demo. */
export async function must(...asked: Parameters<typeof run>): Promise<string> {
  const [program, words] = asked;
  const { code, stdout, stderr } = await run(...asked);
  if (code !== 0) throw new Error(`${program} ${words.join(' ')}: exit code ${code}\n${stderr}${stdout}`);
  return stdout;
}
