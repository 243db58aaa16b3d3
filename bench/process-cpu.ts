import { readdirSync, readFileSync } from 'node:fs';

/** CPU milliseconds that a process has used, all of its threads together, from /proc/<pid>/stat (in ticks of 10 ms). */
export function cpuMillisecondsOf(pid: number): number {
  return cpuMillisecondsIn(`/proc/${pid}/stat`);
}

function cpuMillisecondsIn(file: string): number {
  const stat = readFileSync(file, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The same of each thread, by its id. The first thread has the id of the process. */
export function cpuMillisecondsByThread(pid: number): Map<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return new Map(threads.map((thread) => [thread, cpuMillisecondsIn(`/proc/${pid}/task/${thread}/stat`)]));
}

/** What the threads used between two readings: the serving one, the store's, and all others (collector, compiler, libuv's pool). */
export function threadGroups(
  pid: number,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): Record<string, number> {
  const groups: Record<string, number> = { serving: 0, store: 0, others: 0 };
  for (const [thread, milliseconds] of after) {
    const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim();
    const group = thread === pid ? 'serving' : name === 'storage' ? 'store' : 'others';
    groups[group] = groups[group]! + milliseconds - (before.get(thread) ?? 0);
  }
  return groups;
}

/** Resident memory of a process, bytes. */
export function residentBytesOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) * 1024;
}
