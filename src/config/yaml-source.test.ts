import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assertRefused, edited } from './marked-file.fixture.ts';
import { parseYamlSource } from './yaml-source.ts';

describe('only the part of YAML that reads the same to everyone', () => {
  const refusals: [name: string, from: string, to: string, key: string, message: RegExp][] = [
    ['anchors', 'name: "Example"', 'name: §&x "Example"', 'authority.name', /anchors are refused/],
    ['anchors on keys', 'authority:', '§&x authority:', 'authority', /anchors are refused/],
    ['aliases', 'name: "Example"', 'name: §*x', 'authority.name', /aliases are refused/],
    ['merge keys', '  data: data', '  §<<: { data: data }', 'authority.<<', /merge keys are refused/],
    ['standard tags', 'name: "Example"', 'name: §!!str "Example"', 'authority.name', /tags are refused/],
    ['custom tags', 'name: "Example"', 'name: §!js "Example"', 'authority.name', /tags are refused/],
    [
      'tags on maps',
      'key: { file: secrets/mac-1 }',
      'key: §!env { file: secrets/mac-1 }',
      'secrets.macKeys[0].key',
      /tags are/,
    ],
    ['tags on keys', '  data: data', '  §!!str data: data', 'authority.data', /tags are refused/],
    ['duplicate keys', '  data: data', '  data: data\n  §data: data', 'authority.data', /a second time/],
    ['__proto__', '  data: data', '  §__proto__: {}', 'authority.__proto__', /unknown key/],
    ['keys that are no text', '  data: data', '  §[data]: data', 'authority.name', /not YAML|plain word/],
    ['a YAML directive', '# Sallyport.', '§%YAML 1.1\n---\n# Sallyport.', '(top level)', /directives/],
    [
      'a TAG directive',
      '# Sallyport.',
      '§%TAG ! tag:x,2000:\n---\n# Sallyport.',
      '(top level)',
      /directives/,
    ],
    [
      'a second document',
      'approvals:\n',
      '§---\napprovals:\n',
      'secrets.macKeys[0].key.file',
      /one YAML document/,
    ],
    [
      'tabs as indentation',
      '    address: 127.0.0.1\n',
      '§\taddress: 127.0.0.1\n',
      'listeners.enroll.class',
      /not YAML/,
    ],
    ['unclosed quotes', 'name: "Example"\n', 'name: "Example§\n', 'authority.name', /Missing closing "quote/],
  ];
  for (const [name, from, to, key, message] of refusals) {
    test(`${name} are refused where they stand`, () => assertRefusedAnyway(edited(from, to), key, message));
  }

  test('too deep nesting is refused', () => {
    assertRefused(
      edited('  data: data', `  data: ${'['.repeat(22)}§${'['.repeat(3)}${']'.repeat(25)}`),
      `authority.data${'[0]'.repeat(22)}`,
      /levels deep/,
    );
  });

  test('nesting that would exhaust the stack is refused', () => {
    for (const open of ['[', '{', '- ', '? ', 'a: [']) {
      const { value, problems } = parseYamlSource(open.repeat(5_000));
      assert.equal(value, undefined);
      assert.notEqual(problems.length, 0);
    }
  });

  /** Syntax errors bring others behind them: the first counts. */
  function assertRefusedAnyway(text: string, key: string, message: RegExp): void {
    const { problems } = parseYamlSource(text.replace('§', ''));
    const before = text.slice(0, text.indexOf('§')).split('\n');
    const first = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)[0];
    assert.ok(first !== undefined);
    assert.match(first.message, message);
    assert.deepEqual(
      [
        first.line,
        first.column,
        first.path.reduce((path, step) => join(String(path), step), '') || '(top level)',
      ],
      [before.length, (before.at(-1) ?? '').length + 1, key],
      JSON.stringify(problems),
    );
  }
  const join = (path: string, step: string | number) =>
    typeof step === 'number' ? `${path}[${step}]` : `${path}${path === '' ? '' : '.'}${step}`;
});

test('a message never repeats source text, which may be a secret', () => {
  for (const text of [
    'a: "hunter2',
    'a: hunter2: b',
    'a: |x hunter2\n b',
    'a: [hunter2',
    'a: "\\hunter2"',
    "a: 'b' hunter2",
    '@hunter2',
  ]) {
    const { problems } = parseYamlSource(text);
    assert.notEqual(problems.length, 0, text);
    assert.doesNotMatch(JSON.stringify(problems.map(({ message }) => message)), /hunter2/, text);
  }
});

test('plain values come out as YAML 1.2 reads them', () => {
  const { value, problems } = parseYamlSource(
    'a: yes\nb: [1, 0x10, "2", null, true, 1.5]\nc: { d: ~ }\n1: x\n',
  );
  assert.deepEqual(problems, []);
  assert.equal(JSON.stringify(value), '{"1":"x","a":"yes","b":[1,16,"2",null,true,1.5],"c":{"d":null}}');
});

test('an empty file is nothing, at its first character', () => {
  const { value, problems, positionOf } = parseYamlSource('');
  assert.deepEqual([value, problems, positionOf(['a'], 'key')], [null, [], { line: 1, column: 1 }]);
});

test('arbitrary text gives a value or problems with a place in it', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '&x ',
    '*x',
    '!t ',
    '<<',
    '? ',
    '#',
    '|',
    '>',
    '%',
    '---',
    '...',
    '\t',
    '\r',
    '\u0000',
    '\uD800',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (source) => {
      const { value, problems } = parseYamlSource(source);
      if (problems.length > 0) assert.equal(value, undefined);
      for (const { line, column } of problems) {
        assert.ok(line >= 1 && line <= source.split('\n').length && column >= 1);
      }
    }),
    { numRuns: 300 },
  );
});
