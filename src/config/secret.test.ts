import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { isSallyportError } from '#errors';
import { readSecret, secretProblem } from './secret.ts';

describe('secrets by reference', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-secret-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: string | Uint8Array, mode = 0o600) => {
    const file = join(folder, name);
    writeFileSync(file, content);
    chmodSync(file, mode);
    return { file: name };
  };
  const refusal = (reference: { file: string } | { env: string }, env = {}) => {
    try {
      readSecret(reference, folder, env);
    } catch (error) {
      assert.ok(isSallyportError(error, 'config'), String(error));
      assert.doesNotMatch(error.message, /hunter2/);
      return error.message;
    }
    return assert.fail('was read');
  };

  test('a file is read without its line end, from the folder given', () => {
    const contents = ['hunter2', 'hunter2\n', 'hunter2\r\n'].map((text, index) =>
      readSecret(write(`s${index}`, text), folder, {}),
    );
    assert.deepEqual(contents, ['hunter2', 'hunter2', 'hunter2']);
    assert.equal(readSecret({ file: join(folder, 's0') }, '/nowhere', {}), 'hunter2');
    assert.equal(readSecret(write('owner-reads', ' hunter 2 ', 0o400), folder, {}), ' hunter 2 ');
  });

  test('an environment variable is read from the environment given', () => {
    assert.equal(readSecret({ env: 'PASS' }, folder, { PASS: 'hunter2' }), 'hunter2');
    assert.match(refusal({ env: 'PASS' }), /variable PASS is not set/);
    assert.match(refusal({ env: 'toString' }), /is not set/);
    assert.match(refusal({ env: 'PASS' }, { PASS: '' }), /PASS is empty/);
  });

  for (const mode of [0o640, 0o604, 0o660, 0o644, 0o601, 0o777]) {
    test(`a file of mode ${mode.toString(8)} is refused`, () => {
      assert.match(
        refusal(write('open', 'hunter2', mode)),
        /open can be read by others than its owner: chmod 600/,
      );
    });
  }

  test('what is no secret is refused', () => {
    mkdirSync(join(folder, 'folder'), { mode: 0o700 });
    assert.match(refusal({ file: 'folder' }), /not a plain file/);
    assert.match(refusal({ file: 'missing' }), /missing cannot be read: ENOENT/);
    assert.match(refusal(write('empty', '\n')), /is empty/);
    assert.match(refusal(write('long', 'x'.repeat(4097))), /longer than 4096 bytes/);
    assert.match(refusal(write('lines', 'hunter2\nb')), /one line of text/);
    assert.match(refusal(write('binary', Buffer.from([0xff, 0xfe]))), /not UTF-8/);
  });

  test('a named pipe does not hang the start', () => {
    execFileSync('mkfifo', ['-m', '600', join(folder, 'pipe')]);
    assert.match(refusal({ file: 'pipe' }), /not a plain file/);
  });

  test('before it is needed, a file may still be missing', () => {
    assert.equal(secretProblem({ file: join(folder, 'later') }, {}), null);
    assert.match(secretProblem({ file: join(folder, 'open') }, {}) ?? '', /read by others/);
    assert.match(secretProblem({ env: 'PASS' }, {}) ?? '', /is not set/);
    assert.match(secretProblem({ env: 'PASS' }, { PASS: 'short' }, 32) ?? '', /fewer than 32 characters/);
  });
});
