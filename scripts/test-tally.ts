import { relative } from 'node:path';

interface PassedTest {
  readonly name: string;
  readonly file?: string | undefined;
  readonly nesting: number;
  readonly skip?: string | boolean | undefined;
}

interface Summary {
  readonly file?: string | undefined;
  readonly success: boolean;
  readonly counts: { readonly passed: number; readonly failed?: number };
}

/** Listens to one run of node's test runner, and knows at its end what was skipped and whether anything ran at all. */
export class TestTally {
  readonly #skipped = new Map<string, string[]>();
  readonly #empty: string[] = [];
  #whole: Summary | null = null;

  passed(test: PassedTest): void {
    if (isWholeFile(test)) this.#empty.push(test.name);
    if (test.skip === undefined || test.skip === false) return;
    const reason = typeof test.skip === 'string' && test.skip !== '' ? test.skip : 'no reason given';
    const where = test.file === undefined ? '' : `${relative(process.cwd(), test.file)}: `;
    this.#skipped.set(reason, [...(this.#skipped.get(reason) ?? []), where + test.name]);
  }

  /** Each file closes with a summary of its own; the one of the whole run names no file. */
  summarised(summary: Summary): void {
    if (summary.file === undefined) this.#whole = summary;
  }

  get success(): boolean {
    return this.#whole?.success === true;
  }

  /** Lines that name each skipped test under its reason. */
  skips(): string[] {
    return [...this.#skipped].flatMap(([reason, tests]) => [
      `skipped (${tests.length}): ${reason}`,
      ...tests.map((test) => `  ${test}`),
    ]);
  }

  /** Why a run that failed nowhere is no success all the same. A name pattern (`filtered`) may well leave files without a test. */
  problems({ filtered }: { filtered: boolean }): string[] {
    const { passed, failed = 0 } = this.#whole?.counts ?? { passed: 0 };
    return [
      ...(filtered ? [] : this.#empty.map((file) => `${file} holds no test`)),
      ...(passed - this.#empty.length + failed === 0 ? ['no test ran'] : []),
    ];
  }
}

/** A file in which no test was declared is reported as one passed test of the file's own name. */
function isWholeFile({ name, file, nesting }: PassedTest): boolean {
  return nesting === 0 && name.endsWith('.test.ts') && file?.endsWith(name) === true;
}
