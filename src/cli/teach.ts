import type { Command } from 'commander';
import { type ExitCode, exitCodeWords } from './exit-code.ts';

export interface Lesson {
  /** What it does, for the list of commands: one line. */
  readonly summary: string;
  /** When one uses it, and what to know before. */
  readonly when: string;
  /** Command lines that work as they stand, after `init` and what the example before them did. */
  readonly examples: readonly string[];
  /** Besides 0, 1 and 2. */
  readonly exits?: readonly ExitCode[];
}

const textWidth = 96;

/** Help that teaches: what, when, a true example, and the exit codes. */
export function teach(command: Command, lesson: Lesson): Command {
  const codes = [...new Set<ExitCode>([0, 1, 2, ...(lesson.exits ?? [])])].toSorted((a, b) => a - b);
  const sections = [
    section(lesson.examples.length === 1 ? 'Example:' : 'Examples:', lesson.examples),
    section(
      'Exit codes:',
      codes.map((code) => `${code}  ${exitCodeWords[code]}`),
    ),
  ];
  return command
    .summary(lesson.summary)
    .description(`${lesson.summary}.\n\n${wrap(lesson.when)}`)
    .addHelpText('after', `\n${sections.join('\n')}`);
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

export function wrap(text: string, width = textWidth): string {
  return text
    .split('\n')
    .map((paragraph) => {
      const lines: string[] = [];
      for (const word of paragraph.split(' ')) {
        const last = lines.at(-1);
        if (last !== undefined && last.length + 1 + word.length <= width) {
          lines[lines.length - 1] = `${last} ${word}`;
        } else lines.push(word);
      }
      return lines.join('\n');
    })
    .join('\n');
}
