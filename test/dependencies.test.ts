import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clients } from './clients.ts';

const root = new URL('../', import.meta.url).pathname;
const page = readFileSync(`${root}docs/dependencies.md`, 'utf8');
const { dependencies, devDependencies } = readJson('package.json');
const { packages } = readJson('package-lock.json');

function readJson(file: string) {
  return JSON.parse(readFileSync(root + file, 'utf8'));
}

/** The names that the tables of one chapter explain. */
function explainedIn(chapter: string): string[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(chapter)) ?? '';
  return [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name ?? '').toSorted();
}

test('docs/dependencies.md explains each runtime dependency, and no other', () => {
  assert.deepEqual(explainedIn('At run time'), Object.keys(dependencies).toSorted());
});

test('docs/dependencies.md explains each development dependency, and no other', () => {
  assert.deepEqual(explainedIn('For development'), Object.keys(devDependencies).toSorted());
});

test('docs/dependencies.md explains each Debian package that a test needs, and no other', () => {
  assert.deepEqual(explainedIn('Programs'), [...new Set(Object.values(clients).flat())].toSorted());
});

test('versions are exact', () => {
  const loose = Object.entries<string>({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  assert.deepEqual(loose, []);
});

test('only the package `node` may run a script at installation', () => {
  const withScripts = Object.entries<{ hasInstallScript?: boolean }>(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path);
  assert.deepEqual(withScripts, ['node_modules/node']);
});

// `npm install` leaves an optional package out that the registry does not serve, and `npm ci` then refuses the whole lock file.
test('the lock file has every optional package that a package in it names', () => {
  const named = Object.values<{ optionalDependencies?: object }>(packages).flatMap(
    ({ optionalDependencies = {} }) => Object.keys(optionalDependencies),
  );
  assert.deepEqual(
    named.filter((name) => !(`node_modules/${name}` in packages)),
    [],
  );
});

test('the lock file names no registry, and pins by hash what runs in production', () => {
  const production = Object.entries<{ resolved?: string; integrity?: string; dev?: boolean }>(
    packages,
  ).filter(([path]) => path !== '');
  assert.deepEqual(
    production.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
  );
  assert.deepEqual(
    production
      .filter(([, { dev, integrity }]) => dev !== true && integrity === undefined)
      .map(([path]) => path),
    [],
  );
});
