import { posix } from 'node:path';
import { ambient, authority, longFiles, longestFileLines, rooms, worldlyModules } from './house.ts';
import { lineOf, type Import, type SourceFile } from './source-file.ts';

/** Judges one file; each finding says what is wrong and where. */
export type Rule = (file: SourceFile) => string[];

export const rules = {
  /** Across folders only through a door, and from outside of src/ as well. */
  doors(file) {
    return complain(file, file.imports, ({ specifier, everything, dynamic }) => {
      if (specifier.startsWith('#')) {
        if (specifier.includes('/')) return `${specifier}: a door has no back rooms`;
        if (everything && !dynamic) return `${specifier}: name what you import from a door`;
        return specifier === `#${roomOf(file.path)}` && !isTest(file.path)
          ? `${specifier} is this folder's own door`
          : null;
      }
      if (!specifier.startsWith('.')) return null;
      const target = posix.join(posix.dirname(file.path), specifier);
      if (roomOf(target) === roomOf(file.path) || roomOf(target) === null) return null;
      return `${specifier} leaves the folder: import the door, #${roomOf(target) ?? ''}`;
    });
  },

  /** The table of allowed imports. */
  arrows(file) {
    const room = roomOf(file.path);
    if (room === null || isTest(file.path)) return [];
    const { values, types = [] } = rooms[room] ?? { values: [] };
    return complain(file, file.imports, ({ specifier, typeOnly }) => {
      const door = specifier.slice(1);
      if (!specifier.startsWith('#') || door === room || values.includes(door)) return null;
      if (!types.includes(door)) return `${room} may not import ${specifier}`;
      return typeOnly ? null : `${room} may import only types of ${specifier}: import type`;
    });
  },

  /** Packages and modules of Node.js: each where the house says, and under `node:`. */
  packages(file) {
    const room = roomOf(file.path);
    if (room === null || isTest(file.path)) return [];
    return complain(file, file.imports, ({ specifier, typeOnly }) => {
      if (specifier === '') return 'a dynamic import names its module in a literal';
      if (specifier.startsWith('#') || specifier.startsWith('.') || typeOnly) return null;
      if (specifier.startsWith('node:')) {
        return (worldlyModules[specifier] ?? [room]).includes(room)
          ? null
          : `${room} may not import ${specifier}`;
      }
      return rooms[room]?.packages?.includes(packageOf(specifier)) === true
        ? null
        : `${room} may not import ${specifier}`;
    });
  },

  /** What is for tests stays with tests. */
  fixtures(file) {
    if (roomOf(file.path) === null || isTest(file.path)) return [];
    return complain(file, file.imports, ({ specifier }) =>
      isTest(specifier) ? `${specifier} is for tests only` : null,
    );
  },

  namedExports(file) {
    return complainOf(file, /\bexport\s+default\b|\bas\s+default\b/g, () => 'a default export: name it');
  },

  /** A decorator passes the compiler and stops Node.js; enums and namespaces are no types to strip. */
  erasable(file) {
    return [
      // Tests may hold Cedar's annotations in their texts, and a real decorator in one fails by itself.
      ...(file.path.endsWith('.test.ts')
        ? []
        : complainOf(file, /^[ \t]*@[A-Za-z_$]/gm, () => 'a decorator')),
      ...complainOf(file, /\benum\s+[\w$]+\s*\{/g, () => 'an enum: use an object `as const`'),
      ...complainOf(file, /\b(?:namespace|module)\s+[\w$.]+\s*\{/g, () => 'a namespace'),
      ...complainOf(file, /[=(,]\s*require\s*\(|\bcreateRequire\b/g, () => 'require: use import'),
    ];
  },

  length({ path, lines }) {
    return lines <= longestFileLines || path in longFiles
      ? []
      : [`${path}: ${lines} lines: split it, or say why not in longFiles`];
  },

  /** Clock, randomness, environment and network are arguments. */
  ambience(file) {
    if (roomOf(file.path) === null || isTest(file.path)) return [];
    return ambient
      .filter(({ places }) => !places.some((place) => file.path.startsWith(place)))
      .flatMap(({ what, pattern }) => complainOf(file, pattern, (words) => `${words}: ${what}`));
  },

  authority(file) {
    if (roomOf(file.path) === null || isTest(file.path)) return [];
    return Object.entries(authority)
      .filter(([, places]) => !places.some((place) => file.path.startsWith(place)))
      .flatMap(([name]) =>
        complainOf(file, new RegExp(`\\b${name}\\b`, 'g'), () => `${name} is not for this place`),
      );
  },

  /** Kebab-case files; folders named for the domain and never for a kind of code. */
  names({ path }) {
    const parts = path.replace(/(?:\.(?:test|testing|fixture))?\.ts$/, '').split('/');
    return [
      ...parts
        .filter((part) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part))
        .map((part) => `${path}: ${part} is not in kebab-case`),
      ...parts
        .filter((part) => kinds.includes(part))
        .map((part) => `${path}: ${part} is a kind of code, not a part of the domain`),
    ];
  },
} as const satisfies Record<string, Rule>;

const kinds = [
  'helper',
  'helpers',
  'util',
  'utils',
  'service',
  'services',
  'types',
  'common',
  'misc',
  'shared',
];

/** The room a path belongs to, by the name of its door; null outside of src/. */
export function roomOf(path: string): string | null {
  const [top, first = '', second] = path.split('/');
  if (top !== 'src' || path === 'src/runtime.cjs') return null;
  if (second === undefined) return 'main';
  return first === 'protocols' ? second : first;
}

/** Tests, and what only tests import. */
export function isTest(path: string): boolean {
  return /\.(?:test|testing|fixture)\.ts$/.test(path);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function complain(
  file: SourceFile,
  imports: readonly Import[],
  judge: (asked: Import) => string | null,
): string[] {
  return imports.flatMap((asked) => {
    const words = judge(asked);
    return words === null ? [] : [`${file.path}:${asked.line}: ${words}`];
  });
}

function complainOf(file: SourceFile, pattern: RegExp, words: (found: string) => string): string[] {
  return [...file.code.matchAll(pattern)].map(
    (match) => `${file.path}:${lineOf(file.code, match.index)}: ${words(match[0].trim())}`,
  );
}
