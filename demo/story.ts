import type { DemoAuthority } from './demo-authority.ts';

/** One request of the tour, and how it must have ended. */
export interface Told {
  readonly what: string;
  readonly expected: 'issued' | 'held' | 'refused' | 'rejected';
}

/** What the demo reads of an entry. */
interface RequestEntry {
  readonly index: number;
  readonly entry: {
    readonly type: string;
    readonly outcome?: string;
    readonly observations?: { readonly source: { readonly operation: string } };
    readonly verdict?: {
      readonly decision: string;
      readonly objections: readonly { readonly control: string; readonly detail: string }[];
    };
    readonly error?: { readonly message: string } | null;
    readonly certificate?: { readonly serialNumber: string } | null;
  };
}

const bold = process.stdout.isTTY && !process.env['NO_COLOR'];

export function say(words: string): void {
  console.log(words);
}

export function heading(words: string): void {
  say(`\n${bold ? `\u001b[1m${words}\u001b[0m` : words}`);
}

export function shown(command: string): void {
  say(`  $ ${command}`);
}

/** The table of all requests from the log, and the log's own proof. true: everything went as it should. */
export async function summarise(authority: DemoAuthority, told: readonly Told[]): Promise<boolean> {
  const entries = (await authority.jsonLines('log', 'tail', '--lines', '200')) as RequestEntry[];
  // Who asks for capabilities and CA certificates, or orders and proves a name, is answered; the table is of those who ask for a certificate, and are told no.
  const requests = entries.filter(({ entry }) => entry.type === 'request' && entry.outcome !== 'answered');
  heading('What the log says');
  printTable(told, requests);
  const asTold =
    requests.length === told.length &&
    told.every(({ expected }, at) => requests[at]?.entry.outcome === expected);
  heading('What the log proves');
  const verified = (await authority.json('log', 'verify')) as { ok: boolean; size: number };
  shown('sallyport log verify');
  say(
    `  ${verified.ok ? 'ok' : 'NOT OK'}: ${verified.size} entries, every hash and every verdict computed again`,
  );
  if (!asTold) say('\nNot everything went as told: see above.');
  return asTold && verified.ok;
}

/** One line a request, and under it the words of every control that objected. */
function printTable(told: readonly Told[], found: readonly (RequestEntry | undefined)[]): void {
  say(`  ${row('REQUEST', 'VERDICT', 'CERTIFICATE', 'LOG')}`);
  told.forEach(({ what, expected }, at) => {
    const { index, entry } = found[at] ?? { index: null, entry: null };
    const serial = entry?.certificate?.serialNumber;
    say(
      `  ${row(what, verdictOf(entry), serial === undefined ? '-' : `${serial.slice(0, 12)}…`, String(index ?? '-'))}`,
    );
    if (entry?.outcome !== expected) {
      say(`      ${entry?.outcome ?? 'nothing'}, and not ${expected} as it should be`);
    }
    if (entry?.outcome === 'rejected') say(`      ${entry.error?.message ?? ''}`);
    for (const { control, detail } of entry?.verdict?.objections ?? []) say(`      ${control}: ${detail}`);
  });
}

/** What its protocol's own rules refuse, no verdict has to. */
function verdictOf(entry: RequestEntry['entry'] | null): string {
  return entry?.outcome === 'rejected' ? 'rejected' : (entry?.verdict?.decision ?? 'no entry');
}

function row(request: string, verdict: string, certificate: string, index: string): string {
  return `${request.padEnd(44)} ${verdict.padEnd(9)} ${certificate.padEnd(14)} ${index.padStart(4)}`;
}
