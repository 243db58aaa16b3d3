import assert from 'node:assert/strict';
import http from 'node:http';
import type { TestAuthority } from './authority.ts';

/** What anybody may read on the public listener, as it is now. */
export async function publicDocument(
  { publicUrl }: Pick<TestAuthority, 'publicUrl'>,
  path: string,
): Promise<{ readonly type: string | undefined; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = http.get(`${publicUrl}${path}`, { agent: false }, (response) => {
      response.toArray().then((parts: Buffer[]) => {
        assert.equal(response.statusCode, 200, path);
        resolve({ type: response.headers['content-type'], body: Buffer.concat(parts) });
      }, reject);
    });
    request.once('error', reject);
  });
}
