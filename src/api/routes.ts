import type { ApiListenerInForce } from './call.ts';
import { externalAccountRoutes } from './external-account-routes.ts';
import { jamfRoute } from './hooks/jamf.ts';
import { ndesRoutes } from './hooks/ndes.ts';
import { radiusRoute } from './hooks/radius.ts';
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
export const routes: readonly Route[] = [...secretRoutes, ...externalAccountRoutes, document];

/** With the hooks that the listener has. */
export function routesOf({ jamf, radius, ndes }: ApiListenerInForce): readonly Route[] {
  return [
    ...routes,
    ...(jamf === null ? [] : [jamfRoute(jamf)]),
    ...(radius === null ? [] : [radiusRoute(radius)]),
    ...(ndes === null ? [] : ndesRoutes(ndes)),
  ];
}
