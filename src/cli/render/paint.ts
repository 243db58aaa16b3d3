/** Colours by what they mean. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly waiting: (text: string) => string;
}

const plain = (text: string) => text;
const sgr = (code: number) => (text: string) => (text === '' ? '' : `\u001B[${code}m${text}\u001B[0m`);

export const noPaint: Paint = { strong: plain, faint: plain, good: plain, bad: plain, waiting: plain };
export const colours: Paint = {
  strong: sgr(1),
  faint: sgr(2),
  good: sgr(32),
  bad: sgr(31),
  waiting: sgr(33),
};

/** https://no-color.org: NO_COLOR "when present and not an empty string … prevents the addition of ANSI color". */
export function choosePaint(isTerminal: boolean, noColor: string | undefined): Paint {
  return isTerminal && (noColor ?? '') === '' ? colours : noPaint;
}

const good = new Set([
  'active',
  'approved',
  'issued',
  'current',
  'valid',
  'allow',
  'live',
  'redelivered',
  'answered',
]);
const bad = new Set([
  'suspended',
  'retired',
  'denied',
  'revoked',
  'deactivated',
  'refused',
  'withheld',
  'withdrawn',
  'deny',
  'void',
  'failed',
  'malformed',
]);
const waiting = new Set(['expected', 'pending', 'held', 'hold', 'reserved']);

/** States have the same colours everywhere. */
export function paintState(state: string, paint: Paint): string {
  if (good.has(state)) return paint.good(state);
  if (bad.has(state)) return paint.bad(state);
  if (waiting.has(state)) return paint.waiting(state);
  return state;
}
