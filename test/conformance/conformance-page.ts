/** A page of docs/conformance: tables of requirements, and what is done otherwise. */
export interface Page {
  readonly name: string;
  readonly text: string;
}

const notOurs = 'not ours';
const columns = 4;

/**
 * What is wrong with a page. Each row of a table under `## Requirements` must cite a test, be `not ours` or link to a heading under
 * `## Deviations`; each citation must name a file, and text that stands in it.
 */
export function problemsOf(page: Page, sourceOf: (file: string) => string | null): string[] {
  const [requirements, deviations] = [section(page, 'Requirements'), section(page, 'Deviations')];
  if (requirements === null || deviations === null) {
    return [`${page.name}: needs the headings ## Requirements and ## Deviations`];
  }
  const anchors = anchorsOf(deviations);
  const rows = rowsOf(requirements);
  return [
    ...(rows.length === 0 ? ['no requirement'] : []),
    ...rows.flatMap((row) => problemsOfRow(row, anchors)),
    ...citationsOf(page.text).flatMap((citation) => problemsOfCitation(citation, sourceOf)),
  ].map((problem) => `${page.name}: ${problem}`);
}

function section({ text }: Page, heading: string): string | null {
  const parts = text.split(/^## (.+)$/m);
  const at = parts.findIndex((part, index) => index % 2 === 1 && part === heading);
  return at < 0 ? null : parts[at + 1]!;
}

/** The rows of all tables, their cells trimmed; without those above and of the lines. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const isHead = /^\|[ :|-]+\|$/.test(lines[at + 1] ?? '');
    if (!line.startsWith('|') || isHead || /^\|[ :|-]+\|$/.test(line)) return [];
    return [
      line
        .replace(/^\||\|$/g, '')
        .split('|')
        .map((cell) => cell.trim()),
    ];
  });
}

function problemsOfRow(cells: readonly string[], anchors: ReadonlySet<string>): string[] {
  const [number = '', requirement = '', here = '', proof = ''] = cells;
  const row = `row "${number} ${requirement.slice(0, 60)}"`;
  if (cells.length !== columns) return [`${row}: has ${cells.length} cells and not ${columns}`];
  const links = [...`${here} ${proof}`.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor!);
  const dead = links.filter((anchor) => !anchors.has(anchor));
  const unproven = here !== notOurs && links.length === 0 && citationsOf(proof).length === 0;
  return [
    ...dead.map((anchor) => `${row}: no deviation is called #${anchor}`),
    ...(unproven ? [`${row}: cites no test, links to no deviation and is not "${notOurs}"`] : []),
  ];
}

function citationsOf(text: string): string[] {
  return [...text.matchAll(/`((?:test|src)\/[^`]*)`/g)]
    .map(([, citation]) => citation!)
    .filter((each) => each.includes('.test.ts'));
}

function problemsOfCitation(citation: string, sourceOf: (file: string) => string | null): string[] {
  const [, file, title] = /^(\S+\.test\.ts): (.{5,})$/.exec(citation) ?? [];
  if (file === undefined || title === undefined) return [`\`${citation}\` is not \`file: title\``];
  const source = sourceOf(file);
  if (source === null) return [`there is no ${file}`];
  return source.includes(title) ? [] : [`${file} has no "${title}"`];
}

/** Of the headings of the third level. */
export function anchorsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^### (.+)$/gm)].map(([, heading]) => anchorOf(heading!)));
}

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
