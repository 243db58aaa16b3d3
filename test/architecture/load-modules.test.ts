import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModules } from './load-modules.ts';

function loadOne(source: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-module-'));
  try {
    const file = join(folder, 'module.mts');
    writeFileSync(file, source);
    return loadModules([file], 3);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a module that only declares loads', () => {
  assert.deepEqual(loadOne('export const a: number = 1;'), []);
});

test('a decorator, which the compiler lets pass, is found', () => {
  assert.match(
    loadOne('const sealed = (c: unknown) => {};\n@sealed\nexport class A {}').join(),
    /module\.mts/,
  );
});

test('an import that is not there is found', () => {
  assert.match(
    loadOne("import { a } from 'no-such-package';\nexport const b: number = a;").join(),
    /no-such-package/,
  );
});

test('a module that prints is found', () => {
  assert.match(loadOne("console.log('hello');").join(), /prints when it is loaded: hello/);
});

test('a module that leaves something running is found', () => {
  assert.match(loadOne('setInterval(() => {}, 1000);').join(), /did not end/);
});
