import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { continued, quoted } from './shell.ts';

test('a shell reads the very word that was quoted', () => {
  assert.equal(quoted('/etc/sallyport.yaml'), '/etc/sallyport.yaml');
  const word = fc.string({ unit: fc.constantFrom(...` '"$\`\\!*?[#&;|<>(){}~\näa1-/.`) });
  fc.assert(
    fc.property(word, (text) => {
      assert.equal(execFileSync('sh', ['-c', `printf %s ${quoted(text)}`], { encoding: 'utf8' }), text);
    }),
    { numRuns: 40 },
  );
});

test('a long command goes on in the next line, between its parts', () => {
  assert.equal(continued('curl', '--cacert root.pem', 'URL'), 'curl --cacert root.pem URL');
  const long = 'x'.repeat(60);
  assert.equal(continued('curl', long, long, 'end'), `curl ${long} \\\n  ${long} end`);
});
