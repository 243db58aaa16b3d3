import { json } from './json.ts';
import { openApi } from './openapi.ts';
import type { Route } from './route.ts';
import { secretRoutes } from './secret-routes.ts';

const document: Route = {
  method: 'GET',
  path: '/v1/openapi.json',
  act: 'api.describe',
  summary: 'This document.',
  scope: null,
  input: null,
  output: null,
  run: async () => json(openApi(routes)),
};

/**
 * All that machines can ask for. Not derived of what operators can: an act that is added there does not appear here, and what is added here is added by hand.
 */
export const routes: readonly Route[] = [...secretRoutes, document];
