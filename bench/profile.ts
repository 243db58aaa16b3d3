import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface CpuProfile {
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds of the monotonic clock, which `performance` of other processes and V8's profiles share. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export function monotonicMicroseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * Shares of the serving thread's JavaScript time within the window by step, from what `--cpu-prof` left in a folder. A sample belongs to the
 * innermost function of ours on its stack, by its folder; without one, to TLS and HTTP of Node, or to the collector. What
 * OpenSSL and libuv do before they call JavaScript is not in such a profile: that is the bench's `transport`.
 */
export function sharesByStep(directory: string, window: Window): Record<string, number> {
  const time = new Map<string, number>();
  // CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile; the serving thread is number 0.
  for (const name of readdirSync(directory).filter((file) => /\.0\.\d+\.cpuprofile$/.test(file))) {
    addProfile(JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as CpuProfile, window, time);
  }
  const total = [...time.values()].reduce((sum, part) => sum + part, 0);
  const entries = [...time].map(([step, part]) => [step, part / total] as const);
  return Object.fromEntries(
    entries.sort((a, b) => b[1] - a[1]).map(([step, share]) => [step, Number(share.toFixed(3))]),
  );
}

function addProfile(profile: CpuProfile, { from, to }: Window, time: Map<string, number>): void {
  const steps = stepsOf(profile);
  let at = profile.startTime;
  profile.samples.forEach((node, index) => {
    const delta = profile.timeDeltas[index] ?? 0;
    at += delta;
    const step = steps.get(node);
    if (step !== undefined && at >= from && at <= to) time.set(step, (time.get(step) ?? 0) + delta);
  });
}

/** The step of each node; idle nodes have none. */
function stepsOf({ nodes }: CpuProfile): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const steps = new Map<number, string>();
  const visit = (id: number, inherited: string): void => {
    const node = byId.get(id)!;
    const { functionName, url } = node.callFrame;
    if (functionName === '(idle)') return;
    const own = /\/src\/((?:protocols\/|audit\/sinks|storage)?[a-z0-9]+)/.exec(url)?.[1];
    const step =
      functionName === '(garbage collector)' ? 'garbage collector' : (own ?? runtimeStep(url) ?? inherited);
    steps.set(id, step);
    node.children?.forEach((child) => visit(child, step));
  };
  visit(nodes[0]!.id, 'runtime');
  return steps;
}

function runtimeStep(url: string): string | null {
  if (/node:(?:_?tls|internal\/tls|internal\/streams|net|internal\/stream_base|https)/.test(url)) {
    return 'TLS';
  }
  if (/node:(?:_http|internal\/http|http)/.test(url)) return 'HTTP';
  if (url.includes('cedar-wasm')) return 'policy';
  return null;
}
