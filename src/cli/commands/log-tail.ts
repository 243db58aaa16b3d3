import { Command } from 'commander';
import { setTimeout } from 'node:timers/promises';
import { entryLine } from '../entry-words.ts';
import { interruptible } from '../interruption.ts';
import { printableJson } from '../render/printable.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

interface TailOptions {
  readonly lines: number;
  readonly follow?: boolean;
}

const pollMilliseconds = 500;
const pageSize = 200;

export function logTail(run: Run): Command {
  return teach(new Command('tail'), {
    summary: 'Show the newest entries of the log, and follow it',
    when: "To watch what happens: requests with their outcome and objections, operators' acts, and what the authority does by itself. With --json one entry a line.",
    examples: ['sallyport log tail --follow', 'sallyport log tail --lines 100 --json'],
    exits: [3, 4],
  })
    .option('-n, --lines <n>', 'how many to begin with', parseWholeNumber, 20)
    .option('-f, --follow', 'go on with what comes, until interrupted')
    .action(run(tail));
}

async function tail(session: Session, { lines, follow }: TailOptions): Promise<void> {
  await interruptible(session.terminal, async (interruption) => {
    const { size } = await session.perform('listEntries', { limit: 1 });
    const next = await printEntries(session, Math.max(0, size - lines), size);
    if (follow === true) await followFrom(session, next, interruption);
  });
}

async function followFrom(session: Session, from: number, signal: AbortSignal): Promise<void> {
  let next = from;
  while (!signal.aborted) {
    await setTimeout(pollMilliseconds, undefined, { signal }).catch(() => {});
    if (!signal.aborted) next = await printEntries(session, next, Infinity);
  }
}

/** From `from` to the end of the log, or to `end`. Returns the index to go on with. */
async function printEntries(session: Session, from: number, end: number): Promise<number> {
  let next = from;
  while (next < end) {
    const answer = await session.perform('listEntries', {
      from: next,
      limit: Math.min(pageSize, end - next),
    });
    const lines = answer.entries.map(({ index, entry }) =>
      session.json ? printableJson({ index, entry }) : entryLine(index, entry, session.paint),
    );
    session.terminal.out(lines.map((line) => `${line}\n`).join(''));
    next = answer.next;
    if (next >= answer.size) break;
  }
  return next;
}
