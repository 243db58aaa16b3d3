import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { entryPoints, longFiles, rooms, worldlyModules } from './architecture/house.ts';
import { isOfDoors, lintOverrides, type Override } from './architecture/lint-doors.ts';
import { loadModules } from './architecture/load-modules.ts';
import { isTest, rules } from './architecture/rules.ts';
import { readSource } from './architecture/source-file.ts';

const root = new URL('../', import.meta.url).pathname;
const files = globSync('{src,test,demo,bench,scripts}/**/*.ts', { cwd: root }).toSorted();
const sources = files.map((file) => readSource(file, readFileSync(root + file, 'utf8')));
const doors: Record<string, string> = readJson('package.json').imports;

function readJson(file: string) {
  return JSON.parse(readFileSync(root + file, 'utf8'));
}

for (const [name, rule] of Object.entries(rules)) {
  test(`the rule of ${name} holds in every file`, () => {
    assert.deepEqual(sources.flatMap(rule), []);
  });
}

test('each folder of src/ has one door, and each door its folder', () => {
  const folders = globSync(['src/*/', 'src/protocols/*/'], { cwd: root }).filter(
    (folder) => folder !== 'src/protocols',
  );
  const expected = Object.fromEntries(
    folders.map((folder) => [`#${folder.split('/').at(-1)}`, `./${folder}/index.ts`]),
  );
  assert.deepEqual(doors, expected);
  assert.deepEqual(
    Object.values(doors).filter((index) => !files.includes(index.slice(2))),
    [],
  );
});

test('the table of allowed imports knows every door, and main', () => {
  const named = [...Object.keys(doors).map((door) => door.slice(1)), 'main'];
  assert.deepEqual(Object.keys(rooms).toSorted(), named.toSorted());
  const mentioned = Object.values(rooms).flatMap(({ values, types = [] }) => [...values, ...types]);
  assert.deepEqual(
    mentioned.filter((name) => !named.includes(name)),
    [],
  );
  assert.deepEqual(
    Object.values(worldlyModules)
      .flat()
      .filter((name) => !named.includes(name)),
    [],
  );
});

test('the arrows of the table point down only', () => {
  const built = new Set<string>();
  for (const [name, { values }] of Object.entries(rooms)) {
    assert.deepEqual(
      values.filter((below) => !built.has(below)),
      [],
      `${name} stands above what it imports`,
    );
    built.add(name);
  }
});

test('the linter holds the same table', () => {
  const overrides: Override[] = readJson('.oxlintrc.json').overrides;
  assert.deepEqual(
    overrides.filter(isOfDoors),
    lintOverrides(doors),
    'run node test/architecture/lint-doors.ts && npm run format',
  );
});

test('every module of src/ loads, prints nothing and leaves nothing running', () => {
  const modules = files.filter((file) => file.startsWith('src/') && !isTest(file) && !(file in entryPoints));
  assert.deepEqual(
    loadModules(
      modules.map((file) => root + file),
      60,
    ),
    [],
  );
});

test('exceptions name files that are there', () => {
  assert.deepEqual(
    [...Object.keys(longFiles), ...Object.keys(entryPoints)].filter((file) => !files.includes(file)),
    [],
  );
});
