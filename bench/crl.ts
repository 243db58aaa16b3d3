import { readFileSync } from 'node:fs';
import {
  anyPorts,
  type Cleanup,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from '../test/harness/authority.ts';
import { publicDocument } from '../test/harness/public-document.ts';
import { TestDevice } from '../test/harness/test-device.ts';
import { fillSqlite } from './history.ts';
import { rounded } from './percentile.ts';
import { cpuMillisecondsOf } from './process-cpu.ts';

/**
 * Revoking one certificate where so many are revoked already: the whole CRL is made again. How long that takes, how much memory, and how long
 * the serving thread lets others wait meanwhile.
 */
export async function benchCrl(
  { certificates }: { readonly certificates: number },
  say: (line: string) => void,
) {
  const ends: (() => Promise<void> | void)[] = [];
  const cleanup: Cleanup = { after: (end) => void ends.push(end) };
  try {
    const files = await initAuthority(cleanup, anyPorts);
    say(`putting ${certificates} revoked certificates into the database`);
    fillSqlite(files, { certificates, revoked: certificates });
    const served = await serveAuthority(files);
    ends.push(() => served.stop());
    const device = await TestDevice.enrolled(served, 'bench-1');
    const pid = served.process.pid!;
    const residentBefore = statusOf(pid, 'VmRSS');

    const ending = new AbortController();
    const waiting = longestWait(served, ending.signal);
    const cpuBefore = cpuMillisecondsOf(pid);
    const started = performance.now();
    const [certificate] = (await served.admin.client.perform('listCertificates', { device: device.id }))
      .items;
    const { published } = await served.admin.client.perform('revokeCertificate', {
      id: certificate!.sha256,
    });
    if (!published) throw new Error('no CRL came of the revocation');
    const elapsed = performance.now() - started;
    ending.abort();
    const { crls } = await served.admin.client.perform('showStatus', {});
    return {
      bench: 'crl',
      revoked: certificates + 1,
      octets: crls[0]!.octets,
      milliseconds: rounded(elapsed, 0),
      cpuMilliseconds: rounded(cpuMillisecondsOf(pid) - cpuBefore, 0),
      startMilliseconds: rounded(served.startMilliseconds, 0),
      residentMegabytes: [residentBefore, statusOf(pid, 'VmRSS')],
      peakResidentMegabytes: statusOf(pid, 'VmHWM'),
      /** Of a small document, asked for without a pause meanwhile. */
      slowestAnswerMilliseconds: rounded(await waiting, 1),
    };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Milliseconds that the slowest of many answers took, one asked for after the other. */
async function longestWait(served: ServedAuthority, signal: AbortSignal): Promise<number> {
  let longest = 0;
  while (!signal.aborted) {
    const asked = performance.now();
    await publicDocument(served, '/log/checkpoint');
    longest = Math.max(longest, performance.now() - asked);
  }
  return longest;
}

function statusOf(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return rounded(Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024, 0);
}
