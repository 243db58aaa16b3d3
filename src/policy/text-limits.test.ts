import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isSallyportError } from '#errors';
import fc from 'fast-check';

import { loadBundle } from './bundle.ts';
import { defaultPolicies } from './default-policies.ts';
import { withOwn } from './policy-text.testing.ts';
import { references } from './proven-facts.testing.ts';
import { checkTextLimits } from './text-limits.ts';

const refusal = (text: string): string => {
  try {
    loadBundle(text, references);
  } catch (error) {
    assert.ok(isSallyportError(error, 'policy'), String(error));
    return error.message;
  }
  return '';
};

const own = (proof: string): string =>
  withOwn(
    `@id("own") @title("Own") forbid (principal, action, resource) unless { context has rate && ${proof} };`,
  );

/** Cedar still works: a trap would leave it in ruins. */
const assertUnharmed = (): unknown => loadBundle(defaultPolicies(), references);

describe('policy text is refused before Cedar sees it', () => {
  it('when it is too long', () => {
    assert.match(refusal(`${defaultPolicies()}//${'x'.repeat(256 * 1024)}`), /longer than 262144 bytes/);
    assert.match(refusal(`//${'ß'.repeat(128 * 1024)}`), /longer than 262144 bytes/);
  });

  it('when brackets nest too deep', () => {
    for (const [open, close] of ['()', '[]', '{}'].map((pair) => [...pair] as [string, string])) {
      for (const depth of [17, 300, 100_000]) {
        assert.match(
          refusal(own(open.repeat(depth) + 'true' + close.repeat(depth))),
          /brackets nest deeper than 16/,
        );
      }
    }
    assertUnharmed();
  });

  it('when a policy has too many operators', () => {
    for (const [first, more] of [
      ['true', ' || true'],
      ['true', ' && true'],
      ['0 < 1', ' + 1'],
      ['context', '.rate'],
      ['', 'if true then true else '],
      ['true', '.contains(1)'],
      ['', '-'],
      ['', '!'],
    ] satisfies [string, string][]) {
      for (const count of [250, 5000]) {
        assert.match(refusal(own(first + more.repeat(count))), /more than 200 operators/);
      }
    }
    assertUnharmed();
  });

  it('but not for what stands in strings and comments, nor for many small policies', () => {
    const title = '((((((((((((((((((((((((( || '.repeat(20);
    checkTextLimits(
      `// ${title}\n@id("x") @title("\\"${title}") forbid (principal, action, resource);`.repeat(50),
    );
  });
});

describe('policy text within the limits does not harm Cedar', () => {
  it('at its deepest and longest', () => {
    const nested = (proof: string): string => '('.repeat(14) + proof + ')'.repeat(14);
    for (const proof of [
      nested(`true${' || true'.repeat(190)}`),
      nested(`true${' && true'.repeat(190)}`),
      nested(`0 < 1${' + 1'.repeat(190)}`),
      nested(`${'if true then true else '.repeat(190)}true`),
      nested(`{a: 1}${'.a'.repeat(190)} == 1`),
      nested(`[1]${'.contains(1)'.repeat(190)}`),
      `${'!(if true then [{a: ('.repeat(4)}true${')}] == [] else true)'.repeat(4)}`,
      `[${'1, '.repeat(50_000)}1].contains(1)`,
    ]) {
      refusal(own(proof));
      assertUnharmed();
    }
  });

  it('whatever it is', () => {
    const words = [
      ...'@id ("x") @title forbid permit when unless { } ( ) [ ] , ; principal action resource context . has in is like'.split(
        ' ',
      ),
      ...'if then else == != < <= > >= && || + - * ! :: Template DeviceClass "vpn" 1 true // \n " \\ \u0000 é'.split(
        ' ',
      ),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), (tokens) => {
        refusal(tokens.join(' '));
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        refusal(text);
      }),
      { numRuns: 200 },
    );
    assertUnharmed();
  });
});
