import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TpmTools } from './tools.ts';

test('without tpm2-tools: what to install', async () => {
  const work = async () => assert.fail('it has begun');
  await assert.rejects(TpmTools.using({ PATH: '/nonexistent' }, new AbortController().signal, work), {
    code: 'unsupported',
    message: 'tpm2 is not on the PATH; install tpm2-tools 5 (Debian: tpm2-tools)',
  });
});
