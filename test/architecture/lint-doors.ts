import { readFileSync, writeFileSync } from 'node:fs';
import { rooms } from './house.ts';

/**
 * The part of .oxlintrc.json that follows from the table of allowed imports, so that an editor shows a forbidden import at once.
 * `node test/architecture/lint-doors.ts && npm run format` writes it.
 */
export function lintOverrides(doors: Readonly<Record<string, string>>): object[] {
  return Object.entries(doors).map(([door, index]) => {
    const { values, types = [] } = rooms[door.slice(1)] ?? { values: [] };
    const anyDoorBut = [...values, ...types].map((name) => `!#${name}`);
    const patterns = [
      { group: ['#*', ...anyDoorBut], message: `${door} may not: see test/architecture/house.ts` },
    ];
    const typesOnly = {
      group: types.map((name) => `#${name}`),
      message: `${door} may import types of it only`,
      allowTypeImports: true,
    };
    return {
      files: [index.replace('./', '').replace('index.ts', '**/*.ts')],
      excludeFiles: ['**/*.{test,testing,fixture}.ts'],
      rules: {
        'no-restricted-imports': [
          'error',
          { patterns: types.length === 0 ? patterns : [...patterns, typesOnly] },
        ],
      },
    };
  });
}

export interface Override {
  readonly rules: Readonly<Record<string, unknown>>;
}

export function isOfDoors({ rules }: Override): boolean {
  return 'no-restricted-imports' in rules;
}

if (import.meta.main) {
  const lint = JSON.parse(readFileSync('.oxlintrc.json', 'utf8'));
  const { imports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const others = lint.overrides.filter((override: Override) => !isOfDoors(override));
  writeFileSync(
    '.oxlintrc.json',
    JSON.stringify({ ...lint, overrides: [...others, ...lintOverrides(imports)] }, null, 2),
  );
}
