import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Cleanup } from '../../test/harness/authority.ts';
import { percentile, rounded } from '../percentile.ts';
import type { FromGenerator, Load, Target, ToGenerator } from './generator.ts';

/** The load generator's process, from here. */
export class Generator {
  readonly httpPort: number;
  readonly resolver: string;
  readonly #process: ChildProcess;

  /** Serves proofs at this port of 127.0.0.1; 0: at any. */
  static async start(cleanup: Cleanup, httpPort = 0): Promise<Generator> {
    const child = fork(path.join(import.meta.dirname, 'generator.ts'));
    cleanup.after(() => void child.kill());
    const { httpPort: port, resolver } = await tell(child, { kind: 'serve', httpPort }, 'serving');
    return new Generator(child, port, resolver);
  }

  private constructor(child: ChildProcess, httpPort: number, resolver: string) {
    this.#process = child;
    this.httpPort = httpPort;
    this.resolver = resolver;
  }

  async prepare(target: Target): Promise<void> {
    await tell(this.#process, { kind: 'prepare', ...target }, 'prepared');
  }

  async go(seconds: number): Promise<Load> {
    const { load } = await tell(this.#process, { kind: 'go', milliseconds: seconds * 1000 }, 'done');
    return load;
  }
}

async function tell<Kind extends FromGenerator['kind']>(
  child: ChildProcess,
  message: ToGenerator,
  kind: Kind,
): Promise<Extract<FromGenerator, { kind: Kind }>> {
  const settled = new AbortController();
  const { signal } = settled;
  const answered = once(child, 'message', { signal }) as Promise<[FromGenerator]>;
  const ended = once(child, 'exit', { signal }).then(
    () => [{ kind: 'failed', message: 'it ended' }] as const,
  );
  child.send(message);
  const [answer] = await Promise.race([answered, ended]);
  settled.abort();
  await Promise.allSettled([answered, ended]);
  if (answer.kind !== kind) throw new Error(`the load generator failed: ${JSON.stringify(answer)}`);
  return answer as Extract<FromGenerator, { kind: Kind }>;
}

/** What a run says of any server. `cpu`: milliseconds of its process. */
export function figuresOf({ latencies, milliseconds, ...load }: Load, cpu: number) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const orders = latencies.length;
  return {
    seconds: rounded(milliseconds / 1000, 2),
    orders,
    errors: load.errors,
    ...(load.messages.length === 0 ? {} : { messages: load.messages }),
    rate: rounded(orders / (milliseconds / 1000), 1),
    p50: rounded(percentile(sorted, 0.5), 2),
    p99: rounded(percentile(sorted, 0.99), 2),
    cpuMilliseconds: rounded(cpu / orders, 3),
    postsPerOrder: rounded(load.posts / orders, 2),
    connections: load.connections,
    generatorCpuMilliseconds: rounded(load.cpuMilliseconds / orders, 3),
    /** 1: it could do no more. */
    generatorBusy: rounded(load.cpuMilliseconds / milliseconds, 2),
  };
}
