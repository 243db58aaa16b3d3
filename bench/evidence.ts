import { appraise, examine } from '#evidence';
import type { BenchSettings } from './enrollments.ts';
import { benchAttested } from './evidence/attested.ts';
import { type Sample, samples } from './evidence/formats.ts';
import { rounded } from './percentile.ts';
import { median } from './welch.ts';

const rounds = 9;

/**
 * Examinations and appraisals a second on one core, by format, beside the signature verifications alone in the same run. CPU of this thread: what else the machine does
 * takes time, and is no part of it. Then what whole enrollments cost with evidence and without.
 */
export async function benchEvidence(settings: BenchSettings, say: (line: string) => void) {
  const formats = benchFormats(settings.seconds, say);
  return { bench: 'evidence', formats, enrollments: await benchAttested(settings, say) };
}

function benchFormats(seconds: number, say: (line: string) => void): Record<string, object> {
  const milliseconds = (seconds * 1000) / (rounds * 4 * Object.keys(samples).length);
  const formats: Record<string, object> = {};
  for (const [name, sample] of Object.entries(samples)) {
    const measured = {
      examination: measure(() => examineOnce(sample), sample.floor, milliseconds),
      appraisal: measure(appraisalOf(sample), sample.pathFloor, milliseconds),
    };
    formats[name] = measured;
    say(`${name}: ${JSON.stringify(measured)}`);
  }
  return formats;
}

function examineOnce({ evidence, nonce }: Sample) {
  const examination = examine(evidence, nonce);
  const { fault, statement } = examination;
  if (statement?.fresh !== true) throw new Error(`not in order: ${fault?.check ?? 'not fresh'}`);
  return examination;
}

/** Certificates are parsed and their path is found anew each time, as for a request; roots are parsed once, as in an authority that runs. */
function appraisalOf(sample: Sample): () => void {
  const examination = examineOnce(sample);
  const now = Date.now();
  return () => {
    const [objection] = appraise(examination, sample.values, null, now).objections;
    if (objection !== undefined) throw new Error(`not in order: ${objection.check}`);
  };
}

/** Both in turn, so that a machine that slows down slows both. */
function measure(operation: () => void, floor: (() => void) | null, milliseconds: number) {
  microsecondsOf(operation, milliseconds);
  const [runs, floors]: [number[], number[]] = [[], []];
  for (let at = 0; at < rounds; at += 1) {
    runs.push(microsecondsOf(operation, milliseconds));
    if (floor !== null) floors.push(microsecondsOf(floor, milliseconds));
  }
  const [whole, bare] = [median(runs), median(floors)];
  const measured = { perSecond: rounded(1e6 / whole, 0), microseconds: rounded(whole, 1) };
  return floor === null
    ? measured
    : { ...measured, floorMicroseconds: rounded(bare, 1), ratio: rounded(whole / bare, 2) };
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
