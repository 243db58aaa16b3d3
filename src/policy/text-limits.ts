import { SallyportError } from '#errors';

/** 16 times the default policies. */
const maximumBytes = 256 * 1024;
const maximumDepth = 16;
const maximumOperators = 200;

const tokens = /\/\/[^\n]*|"(?:[^"\\]|\\.)*"|::|&&|\|\||\w+|\S/gsu;
const operators = new Set([
  '&&',
  '||',
  '+',
  '-',
  '*',
  '!',
  '.',
  '<',
  '>',
  '=',
  'if',
  'in',
  'has',
  'is',
  'like',
]);

/**
 * Bounds what Cedar is given to parse. Its WebAssembly stack holds about 100 levels of brackets or 400 operators of one
 * policy; beyond that it traps, and no later call to the module can be relied on.
 */
export function checkTextLimits(text: string): void {
  if (Buffer.byteLength(text) > maximumBytes) {
    throw tooLarge(`the text is longer than ${maximumBytes} bytes`);
  }
  let depth = 0;
  let count = 0;
  for (const [token] of text.matchAll(tokens)) {
    if ('([{'.includes(token)) depth += 1;
    else if (')]}'.includes(token)) depth = Math.max(0, depth - 1);
    else if (token === ';' && depth === 0) count = 0;
    else if (operators.has(token)) count += 1;
    if (depth > maximumDepth) throw tooLarge(`brackets nest deeper than ${maximumDepth}`);
    if (count > maximumOperators) {
      throw tooLarge(`a policy has more than ${maximumOperators} operators: split it`);
    }
  }
}

function tooLarge(what: string): SallyportError {
  return new SallyportError('policy', `policies: ${what}`);
}
