import { SallyportError } from '#errors';
import type { HttpsCall } from './https-call.ts';
import { membersOf } from './members.ts';

export interface EntraSettings {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** https, without a slash at the end, as the others. */
  readonly loginUrl: string;
  readonly graphUrl: string;
  readonly resourceUrl: string;
}

/** Intune's own application, in every tenant. */
const intuneApplication = '0000000a-0000-0000-c000-000000000000';
const validationService = 'ScepRequestValidationFEService';
/** A token is not used in its last minutes. */
const margin = 300_000;

export interface Tokens {
  /** Throws SallyportError 'store'. */
  of(resource: string): Promise<string>;
  forget(): void;
}

/** OAuth 2.0 client credentials (RFC 6749 section 4.4) of the tenant, each kept while it lives. */
export function tokens(settings: EntraSettings, call: HttpsCall, now: () => number): Tokens {
  const kept = new Map<string, { readonly token: string; readonly until: number }>();
  return {
    async of(resource) {
      const known = kept.get(resource);
      if (known !== undefined && now() < known.until) return known.token;
      const { tenant, clientId, clientSecret, loginUrl } = settings;
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        // Two slashes for Intune: its resource is named with one at the end.
        scope: resource === settings.resourceUrl ? `${resource}//.default` : `${resource}/.default`,
      });
      const answer = await call({
        method: 'POST',
        url: `${loginUrl}/${tenant}/oauth2/v2.0/token`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      });
      const { access_token: token, expires_in: seconds } = membersOf(answer.body);
      if (answer.status !== 200 || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
        throw new SallyportError('store', `Entra gives no token: ${answer.status}`);
      }
      const lifetime = typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 86_400) : 0;
      kept.set(resource, { token, until: now() + lifetime * 1000 - margin });
      return token;
    },
    forget: () => kept.clear(),
  };
}

export interface ServiceLocation {
  /** https, without a slash at the end. Throws SallyportError 'store'. */
  find(): Promise<string>;
  forget(): void;
}

/** Where the tenant's validation service is, as Microsoft Graph says. */
export function serviceLocation(
  { graphUrl }: EntraSettings,
  token: Tokens,
  call: HttpsCall,
  uuid: () => string,
): ServiceLocation {
  let known: string | null = null;
  return {
    async find() {
      if (known !== null) return known;
      const answer = await call({
        method: 'GET',
        url: `${graphUrl}/v1.0/servicePrincipals/appId=${intuneApplication}/endpoints`,
        headers: { authorization: `Bearer ${await token.of(graphUrl)}`, 'client-request-id': uuid() },
      });
      const { value } = membersOf(answer.body);
      const services = Array.isArray(value) ? value.map(membersOf) : [];
      const found = services.find(({ providerName }) => isValidation(providerName))?.['uri'];
      if (answer.status !== 200 || typeof found !== 'string' || !isHttps(found)) {
        throw new SallyportError('store', `Graph does not name ${validationService}: ${answer.status}`);
      }
      known = found.replace(/\/+$/, '');
      return known;
    },
    forget() {
      known = null;
    },
  };
}

function isValidation(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === validationService.toLowerCase();
}

function isHttps(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}
