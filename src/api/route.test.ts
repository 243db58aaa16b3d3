import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { machineScopes } from '#admin';
import { parseAuthorization } from './authorization.ts';
import { locate } from './route.ts';
import { routes } from './routes.ts';

suite('what machines can ask for', () => {
  test('is this list, each with a scope of its own but for what tells of itself', () => {
    assert.deepEqual(
      routes.map(({ method, path, scope }) => `${method} ${path} ${scope ?? '-'}`),
      [
        'POST /v1/secrets secrets:create',
        'GET /v1/secrets secrets:list',
        'POST /v1/secrets/{id}/revoke secrets:void',
        'POST /v1/external-account-keys eab:create',
        'GET /v1/external-account-keys eab:list',
        'POST /v1/external-account-keys/{id}/void eab:void',
        'GET /v1/openapi.json -',
      ],
    );
    const used = new Set(routes.flatMap(({ scope }) => (scope === null ? [] : [scope])));
    assert.deepEqual([...used].toSorted(), machineScopes.toSorted());
  });

  test('is at one path each, which is neither decoded nor resolved', () => {
    const at = (method: string, path: string) => locate(routes, method, path);
    assert.deepEqual(at('POST', '/v1/secrets/S-1/revoke'), { route: routes[2], parameters: { id: 'S-1' } });
    assert.deepEqual(at('DELETE', '/v1/secrets'), { allow: ['POST', 'GET'] });
    for (const path of [
      '',
      '/',
      '/v1/secrets/',
      '/V1/secrets',
      '/v1/%73ecrets',
      '/v1/secrets/a%2fb/revoke',
      '/v1/secrets//revoke',
      '/v1/secrets/a/b/revoke',
      '/v1/secrets/{id}/revoke',
    ]) {
      assert.equal(at('POST', path), null, path);
    }
  });

  test('arbitrary paths give a value', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (method, path) => void locate(routes, method, path)));
  });
});

suite('the Authorization header', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test('is Bearer (RFC 6750), and Basic (RFC 7617) where the route takes it', () => {
    assert.equal(parseAuthorization([], true), null);
    assert.deepEqual(parseAuthorization(['Bearer abc'], false), { token: 'abc', name: null });
    assert.deepEqual(parseAuthorization(['bearer abc='], true), { token: 'abc=', name: null });
    assert.deepEqual(parseAuthorization([basic('mdm:a:b')], true), { token: 'a:b', name: 'mdm' });
    assert.equal(parseAuthorization([basic('mdm:abc')], false), 'malformed');
  });

  test('is malformed where it is anything else, or there twice', () => {
    for (const header of ['', 'abc', 'Bearer', 'Bearer a b', 'Negotiate abc', basic('mdm'), 'Basic ?']) {
      assert.equal(parseAuthorization([header], true), 'malformed', header);
    }
    assert.equal(parseAuthorization([`Bearer ${'a'.repeat(513)}`], true), 'malformed');
    assert.equal(parseAuthorization(['Bearer abc', 'Bearer abc'], true), 'malformed');
  });

  test('arbitrary text gives a value', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseAuthorization([text], true)));
  });
});
