import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ActName } from '../acts.ts';
import { routes } from '../routes.ts';
import { locate, requestFor } from './route-table.ts';

const names = Object.keys(routes) as ActName[];

test('what a client asks for is located as the same act with the same parameters', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.string({ minLength: 1, unit: 'grapheme' }), (name, id) => {
      const { method, path } = requestFor(name, { id, name: id });
      const located = locate(method, path.split('?')[0]!);
      const parameters = routes[name].includes('{id}')
        ? { id }
        : routes[name].includes('{name}')
          ? { name: id }
          : {};
      assert.deepEqual(located, { name, parameters });
    }),
    {
      examples: [
        ['showEntry', '..'],
        ['showEntry', 'a/b?c#d'],
        ['showDevice', '%2F'],
      ],
    },
  );
});

test('GET brings the rest of its input in the query, POST in the body', () => {
  const get = requestFor('listDevices', { state: 'active', limit: 2, after: undefined });
  assert.deepEqual(get, { method: 'GET', path: '/v1/devices?state=active&limit=2', body: null });
  const post = requestFor('approveDevice', { id: 'laptop-7', template: 'device' });
  assert.deepEqual(post, {
    method: 'POST',
    path: '/v1/devices/laptop-7/approve',
    body: '{"template":"device"}',
  });
});

test('a wrong method is told the right one; a path that is nothing is null', () => {
  assert.deepEqual(locate('DELETE', '/v1/secrets'), { allow: ['POST', 'GET'] });
  assert.equal(locate('GET', '/v1/devices/'), null);
  assert.equal(locate('GET', '/v1/devices/%'), null);
  assert.equal(locate('GET', '/'), null);
});

test('arbitrary paths give a value', () => {
  fc.assert(fc.property(fc.string(), (path) => void locate('GET', path)));
});
