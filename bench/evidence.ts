import { examine } from '#evidence';
import { type Sample, samples } from './evidence/formats.ts';
import { rounded } from './percentile.ts';
import { median } from './welch.ts';

const rounds = 9;

/**
 * Examinations a second on one core, by format, beside the signature verifications alone in the same run. CPU of this thread: what else the machine does
 * takes time, and is no part of it.
 */
export async function benchEvidence({ seconds }: { readonly seconds: number }, say: (line: string) => void) {
  const milliseconds = (seconds * 1000) / (rounds * 2 * Object.keys(samples).length);
  const formats: Record<string, object> = {};
  for (const [name, sample] of Object.entries(samples)) {
    formats[name] = measure(sample, milliseconds);
    say(`${name}: ${JSON.stringify(formats[name])}`);
  }
  return Promise.resolve({ bench: 'evidence', formats });
}

/** Both in turn, so that a machine that slows down slows both. */
function measure({ evidence, nonce, floor }: Sample, milliseconds: number) {
  const examineOnce = () => {
    const { fault, statement } = examine(evidence, nonce);
    if (statement?.fresh !== true) throw new Error(`not in order: ${fault?.check ?? 'not fresh'}`);
  };
  microsecondsOf(examineOnce, milliseconds);
  const pairs = Array.from({ length: rounds }, () => [
    microsecondsOf(examineOnce, milliseconds),
    microsecondsOf(floor, milliseconds),
  ]);
  const examination = median(pairs.map(([first]) => first!));
  const bare = median(pairs.map(([, second]) => second!));
  return {
    examinationsPerSecond: rounded(1e6 / examination, 0),
    microseconds: rounded(examination, 1),
    floorMicroseconds: rounded(bare, 1),
    ratio: rounded(examination / bare, 2),
  };
}

/** CPU of one run. */
function microsecondsOf(operation: () => void, milliseconds: number): number {
  const before = process.threadCpuUsage();
  const end = performance.now() + milliseconds;
  let runs = 0;
  do {
    for (let i = 0; i < 20; i += 1) operation();
    runs += 20;
  } while (performance.now() < end);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / runs;
}
